/* SPDX-License-Identifier: MIT */
/*
 * peers.allow and peers.deny (spec 03 §17, 13 §10): files to lists.
 */
#ifndef FIPSD_ACL_FILE_H
#define FIPSD_ACL_FILE_H

#include "../libfips/acl.h"
#include "hosts.h"

#define FIPS_ACL_ALLOW_FILE	FIPS_SYSCONFDIR "/fips/peers.allow"
#define FIPS_ACL_DENY_FILE	FIPS_SYSCONFDIR "/fips/peers.deny"

/**
 * struct fipsd_acl_entry - one line
 * @token: as it is written; owned
 * @npub: whom it means
 */
struct fipsd_acl_entry {
	char *token;
	char npub[FIPS_NPUB_SIZE];
};

/**
 * struct fipsd_acl_file - one file
 * @path: borrowed
 * @stamp: of the file when it was read
 * @v: entries in the order of the file, without ALL
 * @n: number of @v
 */
struct fipsd_acl_file {
	const char *path;
	struct fips_file_stamp stamp;
	struct fipsd_acl_entry *v;
	size_t n;
};

/**
 * struct fipsd_acl - both files, and what they mean
 * @allow: peers.allow
 * @deny: peers.deny
 * @acl: for the node
 * @warn: gets a sentence for each line that is skipped; may be NULL
 * @ctx: passed to @warn
 */
struct fipsd_acl {
	struct fipsd_acl_file allow;
	struct fipsd_acl_file deny;
	struct fips_acl acl;
	void (*warn)(void *ctx, const char *sentence);
	void *ctx;
};

/**
 * fipsd_acl_parse() - one file's text, added to what is there
 * @acl: gets the entries
 * @file: &fipsd_acl.allow or &fipsd_acl.deny of @acl
 * @hosts: for aliases
 * @pk: for npubs
 * @text: any bytes
 * @len: length of @text
 *
 * Lines that say nothing are warned about and skipped.
 *
 * Return: 0 or -ENOMEM.
 */
int fipsd_acl_parse(struct fipsd_acl *acl, struct fipsd_acl_file *file,
		    const struct fips_hosts *hosts, const struct fips_pk *pk, const char *text,
		    size_t len);

/**
 * fipsd_acl_load() - read both files; missing ones are empty
 * @acl: with the paths; everything else is replaced
 * @hosts: for aliases
 * @pk: for npubs
 * @first: there is nothing to keep: a deny file that can't be read denies everybody
 *
 * Return: 0; a negative errno if a file can't be read: @acl is as it was, but for
 * the stamps, so that the same state of the files is not tried again.
 */
int fipsd_acl_load(struct fipsd_acl *acl, const struct fips_hosts *hosts,
		   const struct fips_pk *pk, bool first);

/* Has a file changed since it was loaded? */
bool fipsd_acl_stale(const struct fipsd_acl *acl);
void fipsd_acl_clear(struct fipsd_acl *acl);

#endif /* FIPSD_ACL_FILE_H */
