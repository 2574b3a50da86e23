// SPDX-License-Identifier: MIT
/* What the control socket shows of the mesh: tree, filters, lookups, coordinates. */

#include "node_internal.h"

static u64 view_wall(const struct fips_clock *now, u64 mono)
{
	return mono > now->mono_ms ? now->wall_ms + (mono - now->mono_ms) :
				     now->wall_ms - (now->mono_ms - mono);
}

void fips_node_mesh_view(struct fips_node *n, const struct fips_clock *now,
			 struct fips_mesh_view *v)
{
	const struct fips_tree_decl *decl = fips_tree_decl(n->mesh.tree);
	const struct node_peer *parent = node_peer_find(n, &decl->parent);

	(void)now;
	*v = (struct fips_mesh_view) {
		.coords = fips_tree_coords(n->mesh.tree),
		.parent = decl->parent,
		.is_root = fips_tree_is_root(n->mesh.tree),
		.sequence = decl->sequence,
		.tree = fips_tree_stats(n->mesh.tree),
		.filter_sequence = n->mesh.filter_seq,
		.filter_max = n->mesh.filter_max,
		.uptree = parent ? parent->mesh.sent : NULL,
		.routes = HASH_COUNT(n->mesh.routes),
		.requests = HASH_COUNT(n->mesh.requests),
		.coord_entries = fips_coordcache_count(&n->mesh.coords),
		.coord_stats = &n->mesh.coords.stats,
	};
	v->size_known = node_filter_size(n, &v->size);
}

void fips_node_each_mesh_peer(const struct fips_node *n,
			      void (*fn)(void *arg, const struct fips_mesh_peer_view *v), void *arg)
{
	const struct fips_coords own = fips_tree_coords(n->mesh.tree);
	const struct node_peer *p, *tmp;

	HASH_ITER(hh, n->peers, p, tmp) {
		const struct node_dial *d = node_dial_find(n, &p->id.addr);
		struct fips_mesh_peer_view v = {
			.id = &p->id,
			.alias = d ? d->alias : NULL,
			.coords = fips_tree_peer_coords(n->mesh.tree, &p->id.addr),
			.is_parent = fips_tree_is_parent(n->mesh.tree, &p->id.addr),
			.is_child = fips_tree_is_child(n->mesh.tree, &p->id.addr),
			.filter = &p->mesh.filter,
		};

		v.distance = fips_coords_distance(&own, &v.coords);
		v.has_depth = fips_tree_effective_depth(n->mesh.tree, &p->id.addr,
							&v.effective_depth);
		fn(arg, &v);
	}
}

void fips_node_each_lookup(const struct fips_node *n, const struct fips_clock *now,
			   void (*fn)(void *arg, const struct fips_lookup_view *v), void *arg)
{
	const struct node_lookup *l, *tmp;

	HASH_ITER(hh, n->mesh.lookups, l, tmp) {
		const struct fips_lookup_view v = {
			.target = l->target,
			.attempt = l->attempt,
			.started_wall_ms = view_wall(now, l->started),
			.sent_wall_ms = l->sent ? view_wall(now, l->sent) : 0,
			.age_ms = now->mono_ms - l->started,
		};

		if (!l->failed)
			fn(arg, &v);
	}
}

struct coord_walk {
	const struct fips_clock *now;
	void (*fn)(void *arg, const struct fips_coord_view *v);
	void *arg;
};

static bool coord_walk(void *ctx, const struct fips_coord_info *info)
{
	struct coord_walk *w = ctx;
	const struct fips_coord_view v = {
		.info = *info,
		.age_ms = w->now->mono_ms - info->created_ms,
		.last_used_wall_ms = view_wall(w->now, info->used_ms),
	};

	w->fn(w->arg, &v);
	return true;
}

void fips_node_each_coord(const struct fips_node *n, const struct fips_clock *now,
			  void (*fn)(void *arg, const struct fips_coord_view *v), void *arg)
{
	struct coord_walk w = { .now = now, .fn = fn, .arg = arg };

	fips_coordcache_each(&n->mesh.coords, coord_walk, &w);
}
