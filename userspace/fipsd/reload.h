/* SPDX-License-Identifier: MIT */
/*
 * The configuration while the daemon runs: what is told to the node at the
 * start, and again at each reload.
 */
#ifndef FIPSD_RELOAD_H
#define FIPSD_RELOAD_H

#include <jansson.h>

#include "config.h"

struct fipsd;

/* Tell the node whom @cfg names. Peers whose npub does not decode are left out (12 §6.8). */
int fipsd_peers_apply(struct fipsd *d, const struct fips_config *cfg);

#endif /* FIPSD_RELOAD_H */
