// SPDX-License-Identifier: MIT
/*
 * Takeover of what a dead daemon left in the kernel: its lent sockets, links
 * and sessions go on working meanwhile, for node.linger_secs at most.
 *
 * The sockets must fit the configuration one to one: what is bound elsewhere
 * now is given up with its links, and the peers are dialled anew.
 */
#include <errno.h>
#include <stdlib.h>

#include "kernel.h"

bool kernel_inherited(void *dp, u8 *epoch)
{
	struct kernel *k = dp;

	memcpy(epoch, k->epoch, sizeof(k->epoch));
	return k->inherited;
}

/* ---- dumps are collected first: no command may go out in the middle of one ---- */

struct list {
	void *v;
	size_t n;
	size_t room;
	size_t size;
	bool failed;
};

static void list_add(struct list *l, const void *item)
{
	if (l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 16;
		void *v = reallocarray(l->v, room, l->size);

		if (!v) {
			l->failed = true;
			return;
		}
		l->v = v;
		l->room = room;
	}
	memcpy((char *)l->v + l->n++ * l->size, item, l->size);
}

static void add_transport(void *arg, const struct fipsnl_transport *transport)
{
	list_add(arg, transport);
}

static void add_link(void *arg, const struct fipsnl_link *link)
{
	list_add(arg, link);
}

static void add_session(void *arg, const struct fipsnl_session *session)
{
	list_add(arg, session);
}

static const struct fipsnl_visitor visitor = {
	.transport = add_transport,
	.link = add_link,
	.session = add_session,
};

/* ---- transports ---- */

/* Those that the configuration has no use for; their links go with them. */
static void drop_transports(struct kernel *k)
{
	struct list l = { .size = sizeof(struct fipsnl_transport) };
	size_t i;

	fipsnl_dump_transports(&k->control, k->ifindex, &visitor, &l);
	for (i = 0; i < l.n; i++) {
		u32 id = ((struct fipsnl_transport *)l.v)[i].id;

		if (id > 64 || !(k->taken >> (id - 1) & 1))
			fipsnl_transport_del(&k->control, k->ifindex, id);
	}
	free(l.v);
}

static bool transport_fits(const struct fipsnl_transport *t, const struct fips_transport_info *info)
{
	struct fips_taddr local = t->local;

	if (!info->local.port)
		local.port = 0;
	return t->type == FIPS_TRANSPORT_TYPE_UDP && t->mtu == info->mtu &&
	       fips_taddr_eq(&local, &info->local);
}

int kernel_transport_take(void *dp, struct fips_transport_info *info)
{
	struct kernel *k = dp;
	struct fipsnl_transport t = { 0 };
	int ret;

	if (!k->inherited || info->id > 64)
		return -ENOENT;
	ret = fipsnl_transport_get(&k->control, k->ifindex, info->id, &t);
	if (!ret && transport_fits(&t, info))
		ret = fipsnl_transport_fd(&k->control, k->ifindex, info->id);
	else
		ret = -ENOENT;
	if (ret >= 0) {
		k->taken |= 1ULL << (info->id - 1);
		return ret;
	}
	k->taken = 0;
	kernel_say(k, FIPS_LOG_INFO,
		   "the sockets of the last run don't fit, its links are given up");
	drop_transports(k);
	k->inherited = false;
	return -ENOENT;
}

/* ---- links and sessions ---- */

static const struct fipsnl_key *current_key(const struct fipsnl_key *key, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (key[i].slot == FIPS_KEY_SLOT_CURRENT)
			return &key[i];
	return NULL;
}

static int by_id(const void *a, const void *b)
{
	const struct fipsnl_link *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static size_t restore_links(struct kernel *k, struct fips_node *n, const struct fips_clock *now)
{
	struct list l = { .size = sizeof(struct fipsnl_link) };
	size_t i, kept = 0;

	fipsnl_dump_links(&k->control, k->ifindex, &visitor, &l);
	if (l.n)
		qsort(l.v, l.n, l.size, by_id);
	for (i = 0; i < l.n; i++) {
		const struct fipsnl_link *link = (struct fipsnl_link *)l.v + i;
		const struct fipsnl_key *key = current_key(link->key, link->keys);
		struct fips_saved_link saved = {
			.id = link->id,
			.transport_id = link->transport_id,
			.remote = link->remote,
			.mtu = link->mtu,
			.established = key && key->has_key &&
				       link->state == FIPS_LINK_STATE_ESTABLISHED,
			.owner = link->owner_data,
			.owner_len = link->owner_len,
		};

		if (key) {
			saved.local_index = key->local_index;
			saved.remote_index = key->remote_index;
			saved.k_bit = key->k_bit;
		}
		kept += !fips_node_restore_link(n, now, &saved);
	}
	free(l.v);
	return kept;
}

static size_t restore_sessions(struct kernel *k, struct fips_node *n, const struct fips_clock *now)
{
	struct list l = { .size = sizeof(struct fipsnl_session) };
	size_t i, kept = 0;

	fipsnl_dump_sessions(&k->control, k->ifindex, &visitor, &l);
	for (i = 0; i < l.n; i++) {
		const struct fipsnl_session *s = (struct fipsnl_session *)l.v + i;
		const struct fipsnl_key *key = current_key(s->key, s->keys);
		struct fips_saved_session saved = {
			.remote = s->remote,
			.path_mtu = s->path_mtu,
			.has_key = key && key->has_key,
			.k_bit = key ? key->k_bit : 0,
			.owner = s->owner_data,
			.owner_len = s->owner_len,
		};

		kept += !fips_node_restore_session(n, now, &saved);
	}
	free(l.v);
	return kept;
}

void kernel_restore(void *dp, struct fips_node *n, const struct fips_clock *now)
{
	struct kernel *k = dp;
	size_t links, sessions;

	if (!k->inherited)
		return;
	drop_transports(k);
	links = restore_links(k, n, now);
	sessions = restore_sessions(k, n, now);
	kernel_say(k, FIPS_LOG_INFO, "took over %zu links and %zu sessions of the last run", links,
		   sessions);
}
