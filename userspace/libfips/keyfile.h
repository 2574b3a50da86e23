/* SPDX-License-Identifier: MIT */
/*
 * Key files: fips.key and fips.pub, and which identity a daemon starts with
 * (spec 01 §5, 12 §9).
 *
 * Unlike the rest of the library this file does input and output.
 */
#ifndef _LIBFIPS_KEYFILE_H
#define _LIBFIPS_KEYFILE_H

#include "identity.h"

#define FIPS_KEYFILE_DIR	"/etc/fips"	/* when no configuration file was loaded */
#define FIPS_KEYFILE_KEY	"fips.key"
#define FIPS_KEYFILE_PUB	"fips.pub"
/* Holds the npub of a fips.key that an ephemeral start wrote: only such a file is overwritten. */
#define FIPS_KEYFILE_MARK	"fips.key.ephemeral"
#define FIPS_KEYFILE_ERR_SIZE	512

/**
 * struct fips_keyfile_env - what all functions here need
 * @pk: curve
 * @secrets: where secrets go
 * @rng: for new keys
 * @warn: gets sentences an operator should read; may be NULL
 * @ctx: passed back
 * @error: after a failure, one sentence that says what is wrong and where
 */
struct fips_keyfile_env {
	const struct fips_pk *pk;
	struct fips_secrets *secrets;
	struct fips_rng rng;
	void (*warn)(void *ctx, const char *sentence);
	void *ctx;
	char error[FIPS_KEYFILE_ERR_SIZE];
};

/**
 * struct fips_keyfile_config - the configuration's wishes
 * @nsec: node.identity.nsec or NULL
 * @persistent: node.identity.persistent
 * @dir: directory of the last configuration file, or %FIPS_KEYFILE_DIR
 */
struct fips_keyfile_config {
	const char *nsec;
	bool persistent;
	const char *dir;
};

/**
 * enum fips_key_source - where the identity came from
 * @FIPS_KEY_FROM_CONFIG: node.identity.nsec
 * @FIPS_KEY_FROM_FILE: an existing fips.key
 * @FIPS_KEY_CREATED: new, and kept in fips.key
 * @FIPS_KEY_EPHEMERAL: new, and gone with this process
 */
enum fips_key_source {
	FIPS_KEY_FROM_CONFIG,
	FIPS_KEY_FROM_FILE,
	FIPS_KEY_CREATED,
	FIPS_KEY_EPHEMERAL,
};

/**
 * fips_keyfile_resolve() - the identity to start with (12 §9)
 * @env: on failure @env->error is set
 * @cfg: wishes
 * @kp: written on success; fips_keypair_destroy() it
 * @source: written on success
 *
 * A fips.key that an ephemeral start did not write itself is never overwritten
 * by one (01 §5.2 trap).
 *
 * Return: 0 or a negative errno; then the daemon must not start.
 */
int fips_keyfile_resolve(struct fips_keyfile_env *env, const struct fips_keyfile_config *cfg,
			 struct fips_keypair *kp, enum fips_key_source *source);

/* Read one key file; warns about symlinks and open permissions. Return: 0 or a negative errno. */
int fips_keyfile_read(struct fips_keyfile_env *env, const char *path, struct fips_keypair *kp);

/* The parsing half of it: whitespace around the key is trimmed. @text is not changed. */
int fips_keyfile_parse(struct fips_keyfile_env *env, const char *path, const char *text,
		       size_t len, struct fips_keypair *kp);

/**
 * fips_keyfile_write_key() - write @dir/fips.key: all of it or nothing, mode 0600
 * @env: on failure @env->error is set
 * @dir: created if missing
 * @kp: key
 *
 * Return: 0, -ELOOP (a symlink is at that path) or another negative errno.
 */
int fips_keyfile_write_key(struct fips_keyfile_env *env, const char *dir,
			   const struct fips_keypair *kp);

/* The same for fips.pub: mode 0644 when new, else as it was. */
int fips_keyfile_write_pub(struct fips_keyfile_env *env, const char *dir,
			   const struct fips_identity *id);

/**
 * fips_keyfile_keygen() - what "fipsctl keygen" does (01 §5.3)
 * @env: on failure @env->error is set
 * @dir: where
 * @force: overwrite
 * @kp: the new key, written on success
 *
 * Return: 0, -EEXIST (something is at fips.key, and no @force) or another negative errno.
 */
int fips_keyfile_keygen(struct fips_keyfile_env *env, const char *dir, bool force,
			struct fips_keypair *kp);

#endif /* _LIBFIPS_KEYFILE_H */
