/* SPDX-License-Identifier: MIT */
/*
 * Probes (spec 13 §7.3): is a node to be reached, and where does it fail? A
 * probe does what a packet to that node would do, and looks on, step by step.
 */
#ifndef FIPSD_PROBE_H
#define FIPSD_PROBE_H

#include <jansson.h>

#define FIPSD_PROBES_MAX	4	/* unfinished ones */

struct fipsd;

/* As commands: 0 and @data, or a negative errno and @why. */
int fipsd_probe_start(struct fipsd *d, const json_t *params, json_t **data, char *why,
		      size_t why_len);
int fipsd_probe_poll(struct fipsd *d, const json_t *params, json_t **data, char *why,
		     size_t why_len);
int fipsd_probe_cancel(struct fipsd *d, const json_t *params, json_t **data, char *why,
		       size_t why_len);

/* One step of each; once a tick. */
void fipsd_probes_tick(struct fipsd *d);
void fipsd_probes_free(struct fipsd *d);

#endif /* FIPSD_PROBE_H */
