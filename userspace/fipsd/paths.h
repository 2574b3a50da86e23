/* SPDX-License-Identifier: MIT */
/*
 * Where sockets are when nobody says (spec 12 §7): daemon and clients must agree.
 */
#ifndef FIPSD_PATHS_H
#define FIPSD_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#define FIPS_PATH_SIZE	108	/* sun_path */

/* @name is "control.sock". Writes FIPS_PATH_SIZE bytes at most. */
void fips_socket_path(const char *name, char *path);

/* Is @dir ours to set up: mode 0750, group fips (spec 13 §3)? */
bool fips_dir_is_managed(const char *dir);

/**
 * fips_socket_bind() - bind a local stream socket as spec 13 §3 wants it
 * @path: where; parents are made
 * @why: a sentence on failure
 * @why_len: its size
 *
 * Return: a listening, non-blocking descriptor or a negative errno.
 */
int fips_socket_bind(const char *path, char *why, size_t why_len);

/* Create the parents of @path. @made: the last one was created here. 0 or a negative errno. */
int fips_make_parents(const char *path, bool *made);

#endif /* FIPSD_PATHS_H */
