/* SPDX-License-Identifier: MIT */
/*
 * The hosts file (spec 12 §10): names for npubs.
 */
#ifndef FIPSD_HOSTS_H
#define FIPSD_HOSTS_H

#include <time.h>

#include "../libfips/identity.h"

#define FIPS_HOSTS_FILE	FIPS_SYSCONFDIR "/fips/hosts"
#define FIPS_HOST_SIZE	64

struct fips_host {
	char name[FIPS_HOST_SIZE];	/* lower case */
	struct fips_identity id;
};

/**
 * struct fips_hosts - names and nodes; a later entry of a name wins
 * @v: entries
 * @n: their number
 * @mtime: of the file when it was read, zero if there was none
 * @warn: gets a sentence for each line that is skipped; may be NULL
 * @ctx: passed to @warn
 */
struct fips_hosts {
	struct fips_host *v;
	size_t n;
	struct timespec mtime;
	void (*warn)(void *ctx, const char *sentence);
	void *ctx;
};

/* Add or replace. 0, -EINVAL (no host name) or -ENOMEM. */
int fips_hosts_add(struct fips_hosts *hosts, const char *name, const struct fips_identity *id);

/* Read a file on top. 0 (also when it is missing) or a negative errno. */
int fips_hosts_load(struct fips_hosts *hosts, const struct fips_pk *pk, const char *path);

/* Has the file changed since it was loaded? */
bool fips_hosts_stale(const struct fips_hosts *hosts, const char *path);

const struct fips_host *fips_hosts_by_name(const struct fips_hosts *hosts, const char *name);
const struct fips_host *fips_hosts_by_addr(const struct fips_hosts *hosts,
					   const struct fips_node_addr *addr);
void fips_hosts_clear(struct fips_hosts *hosts);

#endif /* FIPSD_HOSTS_H */
