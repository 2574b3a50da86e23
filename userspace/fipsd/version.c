// SPDX-License-Identifier: MIT

#include <stdio.h>

#include "version.h"

#ifndef FIPS_REV
#define FIPS_REV "unknown"
#endif

#if defined(__x86_64__)
#define MACHINE "x86_64"
#elif defined(__aarch64__)
#define MACHINE "aarch64"
#elif defined(__riscv)
#define MACHINE "riscv"
#elif defined(__arm__)
#define MACHINE "arm"
#elif defined(__mips__)
#define MACHINE "mips"
#else
#define MACHINE "unknown"
#endif

const char *fips_version(void)
{
	return FIPS_VERSION " (rev " FIPS_REV ")";
}

void fips_version_print(const char *name, bool target)
{
	printf("%s %s\n", name, fips_version());
	if (target)
		printf("target: " MACHINE "-linux\n");
}
