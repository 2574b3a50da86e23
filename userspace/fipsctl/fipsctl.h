/* SPDX-License-Identifier: MIT */
/*
 * fipsctl(8): shared by its files. Exit codes: 0; 1, it failed and stderr says
 * why; 2, bad arguments (spec 13 §9).
 */
#ifndef FIPSCTL_H
#define FIPSCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIPSCTL_FAILED	1
#define FIPSCTL_USAGE	2

/**
 * struct fipsctl - the command line
 * @socket: of the daemon
 * @json: print JSON, not tables: asked for, or nobody reads it at a terminal
 * @why: gets what went wrong, instead of standard error; or NULL
 * @why_len: its size
 */
struct fipsctl {
	const char *socket;
	bool json;
	char *why;
	size_t why_len;
};

/* ---- client.c ---- */

/**
 * fipsctl_request() - ask the daemon
 * @ctl: command line
 * @command: its name
 * @params: stolen; may be NULL
 *
 * Return: the reply's data (the whole reply if it has none), or NULL after a message on stderr
 * or in @ctl->why.
 */
json_t *fipsctl_request(const struct fipsctl *ctl, const char *command, json_t *params);
void fipsctl_print_json(const json_t *value);

/* ---- table.c ---- */

#define FIPSCTL_COLUMNS	12
#define FIPSCTL_CELL	80

struct fipsctl_table;

/* Column titles, NULL-terminated; a leading '>' aligns to the right. */
struct fipsctl_table *fipsctl_table_new(const char *const *titles);
void fipsctl_table_cell(struct fipsctl_table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Print and free. @none stands for a table without rows. */
void fipsctl_table_print(struct fipsctl_table *t, const char *none);

#define FIPSCTL_TEXT	32

/* Texts with units; each writes FIPSCTL_TEXT bytes and returns @buf. */
const char *fipsctl_bytes(uint64_t bytes, char *buf);
const char *fipsctl_duration(uint64_t ms, char *buf);
/* Of a Unix time in ms; "never" for 0. */
const char *fipsctl_ago(uint64_t wall_ms, char *buf);

/* ---- show.c ---- */

int fipsctl_show(const struct fipsctl *ctl, int argc, char **argv);

/* ---- show_mesh.c ---- */

/* Print a reply of show_tree, show_bloom, show_cache. */
void fipsctl_show_tree(const json_t *d);
void fipsctl_show_bloom(const json_t *d);
void fipsctl_show_cache(const json_t *d);
/* Counters that are not 0, in a line: "replay 3, auth 1". */
void fipsctl_print_counters(const char *what, const json_t *counters);

/* ---- kernel.c ---- */

int fipsctl_kernel(const struct fipsctl *ctl, int argc, char **argv);

/* ---- stats.c, monitor.c, address.c, doctor.c, probe.c ---- */

int fipsctl_stats(const struct fipsctl *ctl, int argc, char **argv);
int fipsctl_acl(const struct fipsctl *ctl, int argc, char **argv);
int fipsctl_monitor(const struct fipsctl *ctl, int argc, char **argv);
int fipsctl_address(const struct fipsctl *ctl, int argc, char **argv);
int fipsctl_probe(const struct fipsctl *ctl, int argc, char **argv);
int fipsctl_doctor(const struct fipsctl *ctl, int argc, char **argv);

/* ---- peer.c ---- */

#define FIPSCTL_NPUB	100	/* room for an npub, and for what somebody takes for one */

/* An npub as it is, else the npub of a name of the hosts file. @npub: FIPSCTL_NPUB bytes. */
bool fipsctl_find_peer(const char *word, char *npub);

int fipsctl_connect(const struct fipsctl *ctl, int argc, char **argv);
int fipsctl_disconnect(const struct fipsctl *ctl, int argc, char **argv);

/* ---- reload.c ---- */

int fipsctl_reload(const struct fipsctl *ctl, int argc, char **argv);

/* ---- keygen.c ---- */

int fipsctl_keygen(int argc, char **argv);

/* ---- main.c ---- */

int fipsctl_usage(const char *complaint, const char *word);

#endif /* FIPSCTL_H */
