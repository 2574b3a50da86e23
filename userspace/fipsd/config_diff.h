/* SPDX-License-Identifier: MIT */
/* What changed between two configurations, for a reload. */
#ifndef FIPSD_CONFIG_DIFF_H
#define FIPSD_CONFIG_DIFF_H

#include "config.h"

/**
 * fips_config_diff() - compare, and keep what can't change
 * @running: what the daemon lives by
 * @wanted: what the file says; gets @running's values back where a restart is needed
 * @fn: gets each key that differs, in the order of the table; @restart: it stays as it was
 * @arg: passed to @fn
 *
 * Keys that are not in force, and the secret key, are left out. Afterwards
 * @wanted is true of the daemon, and @running is only good for freeing.
 */
void fips_config_diff(struct fips_config *running, struct fips_config *wanted,
		      void (*fn)(void *arg, const char *key, bool restart), void *arg);

#endif /* FIPSD_CONFIG_DIFF_H */
