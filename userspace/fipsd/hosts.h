/* SPDX-License-Identifier: MIT */
/*
 * The hosts file (spec 12 §10): names for npubs.
 */
#ifndef FIPSD_HOSTS_H
#define FIPSD_HOSTS_H

#include <sys/types.h>
#include <time.h>
#include <uthash.h>

#include "../libfips/identity.h"

#define FIPS_HOSTS_FILE	FIPS_SYSCONFDIR "/fips/hosts"
#define FIPS_HOST_SIZE	64

/**
 * struct fips_host - a name
 * @name: lower case
 * @id: whose
 * @by_name: in &fips_hosts.names
 * @by_addr: in &fips_hosts.addrs, if it is the first name of its node (@listed)
 * @listed: see @by_addr
 */
struct fips_host {
	char name[FIPS_HOST_SIZE];
	struct fips_identity id;
	UT_hash_handle by_name;
	UT_hash_handle by_addr;
	bool listed;
};

/* What tells one content of a file from another without reading it. */
struct fips_file_stamp {
	struct timespec mtime;
	off_t size;
	ino_t ino;	/* 0: no file */
};

struct fips_file_stamp fips_file_stamp(const char *path);
bool fips_file_stamp_eq(const struct fips_file_stamp *a, const struct fips_file_stamp *b);

/**
 * struct fips_hosts - names and nodes; a later entry of a name wins
 * @names: all of them, by name
 * @addrs: by node
 * @n: number of names
 * @stamp: of the file when it was read
 * @warn: gets a sentence for each line that is skipped; may be NULL
 * @ctx: passed to @warn
 */
struct fips_hosts {
	struct fips_host *names;
	struct fips_host *addrs;
	size_t n;
	struct fips_file_stamp stamp;
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

/**
 * fips_hosts_resolve() - the node that an operator means: by a name, or by an npub
 * @hosts: names
 * @pk: to decode npubs
 * @text: any case, any bytes
 * @len: length of @text
 * @id: written on success
 *
 * Return: 0, or a negative errno (fips_key_strerror() when @text begins with "npub1").
 */
int fips_hosts_resolve(const struct fips_hosts *hosts, const struct fips_pk *pk, const char *text,
		       size_t len, struct fips_identity *id);
void fips_hosts_clear(struct fips_hosts *hosts);

#endif /* FIPSD_HOSTS_H */
