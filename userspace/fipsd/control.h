/* SPDX-License-Identifier: MIT */
/*
 * The control socket (spec 13 §3-§4): one JSON request a connection, answered
 * with one JSON line.
 */
#ifndef FIPSD_CONTROL_H
#define FIPSD_CONTROL_H

#include <jansson.h>
#include <uv.h>

#include "paths.h"

#define FIPSD_REQUEST_MAX	4096	/* bytes, newline included */
#define FIPSD_CLIENTS_MAX	32	/* at once; more wait in the backlog */
#define FIPSD_REPLY_MAX		(16 * 1024 * 1024)

struct fipsd;
struct fipsd_control;

/**
 * struct fipsd_control_ops - for tests: what answers
 * @command: @data (new reference) on success; else a message in @why and non-zero
 */
struct fipsd_control_ops {
	int (*command)(void *ctx, const char *command, const json_t *params, json_t **data,
		       char *why, size_t why_len);
};

/**
 * fipsd_control_listen() - serve a control socket
 * @out: written on success
 * @loop: borrowed
 * @path: of the socket
 * @ops: borrowed
 * @ctx: passed to @ops
 * @timeout_ms: for the request and for the reply, each
 * @why: a sentence on failure
 * @why_len: its size
 *
 * Return: 0 or a negative errno.
 */
int fipsd_control_listen(struct fipsd_control **out, uv_loop_t *loop, const char *path,
			 const struct fipsd_control_ops *ops, void *ctx, uint64_t timeout_ms,
			 char *why, size_t why_len);

/* The daemon's own: commands of control_commands.c. */
int fipsd_control_start(struct fipsd_control **out, struct fipsd *d, const char *path, char *why,
			size_t why_len);

/* Clients at the moment. */
size_t fipsd_control_clients(const struct fipsd_control *c);

/* Clients are cut off, the socket is unlinked; memory goes as the loop runs on. */
void fipsd_control_stop(struct fipsd_control *c);

#endif /* FIPSD_CONTROL_H */
