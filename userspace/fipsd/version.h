/* SPDX-License-Identifier: MIT */
#ifndef FIPSD_VERSION_H
#define FIPSD_VERSION_H

/* "0.1.0 (rev 0123456789)" */
extern const char fips_version[];
/* "x86_64-linux-gnu" */
extern const char fips_target[];

#endif /* FIPSD_VERSION_H */
