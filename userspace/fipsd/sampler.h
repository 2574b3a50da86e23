/* SPDX-License-Identifier: MIT */
/* A sample of every metric each tick, into the history (spec 13 §6). */
#ifndef FIPSD_SAMPLER_H
#define FIPSD_SAMPLER_H

struct fipsd;

/* Once the node runs. 0 or a negative errno. */
int fipsd_sampler_start(struct fipsd *d);
void fipsd_sampler_stop(struct fipsd *d);

#endif /* FIPSD_SAMPLER_H */
