/* SPDX-License-Identifier: MIT */
/* Replies of the show_stats_ commands (spec 13 §6.3). */
#ifndef FIPSD_CONTROL_STATS_H
#define FIPSD_CONTROL_STATS_H

#include <jansson.h>

#define FIPSD_SPARKLINE	30	/* samples */

struct fipsd;

json_t *fipsd_show_stats_list(struct fipsd *d);
json_t *fipsd_show_stats_peers(struct fipsd *d);

/* As commands with parameters: 0 and @data, or a negative errno and @why. */
int fipsd_stats_history(struct fipsd *d, const json_t *params, json_t **data, char *why,
			size_t why_len);
int fipsd_stats_all_history(struct fipsd *d, const json_t *params, json_t **data, char *why,
			    size_t why_len);
int fipsd_stats_all_peers(struct fipsd *d, const json_t *params, json_t **data, char *why,
			  size_t why_len);

/* Member "sparklines" of show_status. */
void fipsd_put_sparklines(struct fipsd *d, json_t *obj);

#endif /* FIPSD_CONTROL_STATS_H */
