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

/**
 * fipsd_reload() - read the configuration again and live by it (SIGHUP, "reload")
 * @d: running daemon
 * @out: NULL, or written on success: keys that changed, and those that need a restart
 * @why: the mistakes, on failure
 * @why_len: its size
 *
 * Nothing established is dropped. A file with a mistake changes nothing.
 *
 * Return: 0 or a negative errno.
 */
int fipsd_reload(struct fipsd *d, json_t **out, char *why, size_t why_len);

/* Values of @cfg as the node takes them; lists that are too long are cut, with a warning. */
void fipsd_timing(const struct fipsd *d, const struct fips_config *cfg, struct fips_node_timing *t);

/* Tell the node whom @cfg names. Peers whose npub does not decode are left out (12 §6.8). */
int fipsd_peers_apply(struct fipsd *d, const struct fips_config *cfg);

#endif /* FIPSD_RELOAD_H */
