/* SPDX-License-Identifier: MIT */
#ifndef FIPSD_VERSION_H
#define FIPSD_VERSION_H

#include <stdbool.h>

/* "0.1.0 (rev 0123456789)" */
const char *fips_version(void);
/* Print the version of program @name to stdout; with @target, the machine it is for, too. */
void fips_version_print(const char *name, bool target);

#endif /* FIPSD_VERSION_H */
