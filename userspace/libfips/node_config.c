// SPDX-License-Identifier: MIT
/*
 * Another configuration for a running node. Most values are looked at when they
 * are used; here is what was derived from them.
 */
#include <errno.h>
#include <string.h>

#include "node_internal.h"

/* Per-link buckets of session setups (03 §9, 12 §5.2). */
void node_setup_rates(struct fips_node *n)
{
	const struct fips_node_timing *t = &n->timing;

	fips_bucket_rate_set(&n->setup_new_rate, t->rate_limit.session_setup_burst,
			     t->rate_limit.session_setup_rate);
	node_rate_known(t, t->rate_limit.session_setup_burst, t->rate_limit.session_setup_rate,
			false, &n->setup_known_rate);
}

/* Keys that are in use get the new age. */
static void config_rekeys(struct fips_node *n)
{
	struct node_session *s, *s_tmp;
	struct node_peer *p, *p_tmp;

	HASH_ITER(hh, n->peers, p, p_tmp) {
		if (!p->link->guest)
			node_rekey_arm(n, p);
	}
	HASH_ITER(hh, n->sessions, s, s_tmp) {
		if (s->state == NODE_SESSION_ESTABLISHED && !s->own)
			node_session_rekey_arm(n, s, n->now.mono_ms);
	}
}

void fips_node_set_timing(struct fips_node *n, const struct fips_clock *now,
			  const struct fips_node_timing *t)
{
	struct fips_node_timing old = n->timing;

	node_enter(n, now);
	n->timing = *t;
	/* The table is as large as it is. */
	n->timing.cache.coord_size = old.cache.coord_size;
	n->timing.cache.coord_ttl_secs = old.cache.coord_ttl_secs;
	node_setup_rates(n);
	node_admit_rates(n);
	node_mesh_timing(n);
	if (old.session.default_ttl != t->session.default_ttl)
		node_dev_set(n);
	if (memcmp(&old.rekey, &n->timing.rekey, sizeof(old.rekey)))
		config_rekeys(n);
	node_leave(n);
}

int fips_node_end_session(struct fips_node *n, const struct fips_clock *now,
			  const struct fips_node_addr *remote)
{
	struct node_session *s;

	node_enter(n, now);
	s = node_session_find(n, remote);
	if (s)
		node_session_free(n, s);
	node_leave(n);
	return s ? 0 : -ENOENT;
}
