// SPDX-License-Identifier: MIT
/* What is to be seen of a probe's target: in caches, tree, filters and sessions. */
#include <stdlib.h>
#include <string.h>

#include "probe_impl.h"

#define PEERS_MAX	256

struct seen {
	struct fipsd *d;
	struct probe *p;
	struct probe_look *l;
	struct fips_nexthop_peer peers[PEERS_MAX];
	bool parent[PEERS_MAX];
	bool child[PEERS_MAX];
	size_t n;
	struct fips_bloom_key key;
};

static void see_coord(void *arg, const struct fips_coord_view *v)
{
	struct seen *s = arg;

	if (!fips_node_addr_eq(&v->info.addr, &s->p->target.addr))
		return;
	s->l->coords = true;
	s->l->theirs = v->info.coords;
}

static void see_lookup(void *arg, const struct fips_lookup_view *v)
{
	struct seen *s = arg;

	if (!fips_node_addr_eq(&v->target, &s->p->target.addr))
		return;
	s->l->lookup = true;
	s->l->attempt = v->attempt;
}

static void see_peer(void *arg, const struct fips_mesh_peer_view *v)
{
	struct seen *s = arg;

	if (s->n == PEERS_MAX)
		return;
	s->l->direct |= fips_node_addr_eq(&v->id->addr, &s->p->target.addr);
	s->parent[s->n] = v->is_parent;
	s->child[s->n] = v->is_child;
	s->peers[s->n++] = (struct fips_nexthop_peer){
		.addr = v->id->addr,
		.coords = v->coords,
		.cost = 1,
		.can_send = true,
		.may_reach = v->filter->known && fips_bloom_contains(&v->filter->filter, &s->key),
	};
}

static void see_session(void *arg, const struct fips_session_view *v)
{
	struct fips_dp_session_info info = { .last_data_ms = FIPS_NEVER };
	struct seen *s = arg;

	if (!fips_node_addr_eq(&v->remote, &s->p->target.addr))
		return;
	s->l->session = true;
	s->l->established = !strcmp(v->state, "established");
	s->l->session_since = v->started_wall_ms;
	s->l->mmp = *v->mmp.metrics;
	if (s->d->prov->ops->session_get(s->d->dp, &v->remote, &info))
		return;
	s->l->path_mtu = info.path_mtu;
	s->l->data = info.last_data_ms != FIPS_NEVER;
}

static void find_hop(struct seen *s)
{
	static const char *const why[] = {
		[FIPS_NEXTHOP_LOCAL] = "local",
		[FIPS_NEXTHOP_NO_COORDS] = "no_coords",
		[FIPS_NEXTHOP_OTHER_ROOT] = "disjoint_trees",
		[FIPS_NEXTHOP_NO_CLOSER] = "no_closer_peer",
		[FIPS_NEXTHOP_NOT_SENDABLE] = "hop_not_send_ready",
	};
	struct fips_nexthop_query q = {
		.self = s->d->keypair.id.addr,
		.mine = s->l->ours,
		.dest = s->p->target.addr,
		.coords = s->l->theirs,
	};
	enum fips_nexthop_result r;
	size_t at;

	r = fips_nexthop(&q, s->peers, s->n, &at);
	s->l->hop = fips_nexthop_found(r);
	if (!s->l->hop) {
		s->l->hop_why = why[r];
		return;
	}
	s->l->next = s->peers[at];
	s->l->next_parent = s->parent[at];
	s->l->next_child = s->child[at];
}

void probe_look(struct fipsd *d, struct probe *p)
{
	struct fips_clock now = fipsd_clock();
	struct seen *s = calloc(1, sizeof(*s));
	struct fips_mesh_view mesh;

	memset(&p->look, 0, sizeof(p->look));
	if (!s)
		return;
	s->d = d;
	s->p = p;
	s->l = &p->look;
	fips_bloom_key(&s->key, &p->target.addr);
	fips_node_mesh_view(d->node, &now, &mesh);
	p->look.ours = mesh.coords;
	fips_node_each_coord(d->node, &now, see_coord, s);
	fips_node_each_lookup(d->node, &now, see_lookup, s);
	fips_node_each_mesh_peer(d->node, see_peer, s);
	fips_node_each_session(d->node, &now, see_session, s);
	find_hop(s);
	free(s);
}
