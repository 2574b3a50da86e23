// SPDX-License-Identifier: MIT
#include "version.h"

#ifndef FIPS_REV
#define FIPS_REV "unknown"
#endif

const char fips_version[] = FIPS_VERSION " (rev " FIPS_REV ")";
#if defined(__x86_64__)
const char fips_target[] = "x86_64-linux";
#elif defined(__aarch64__)
const char fips_target[] = "aarch64-linux";
#elif defined(__riscv)
const char fips_target[] = "riscv-linux";
#elif defined(__arm__)
const char fips_target[] = "arm-linux";
#elif defined(__mips__)
const char fips_target[] = "mips-linux";
#else
const char fips_target[] = "linux";
#endif
