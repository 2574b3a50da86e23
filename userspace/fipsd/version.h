/* SPDX-License-Identifier: MIT */
#ifndef FIPSD_VERSION_H
#define FIPSD_VERSION_H

/* "0.1.0 (rev 0123456789)" */
const char *fips_version(void);
/* "x86_64-linux" */
const char *fips_target(void);

#endif /* FIPSD_VERSION_H */
