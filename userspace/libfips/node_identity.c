// SPDX-License-Identifier: MIT
/*
 * Identity cache (spec 01 §8, 09 §9): from the 15 bytes in an IPv6 address back
 * to the key. Bounded by `node.cache.identity_size`; configured and active
 * peers and live sessions are pinned, of the others the least recently used one
 * is forgotten. Only identities computed from their key come in here.
 */

#include <stdlib.h>

#include "node_internal.h"

#define IDENTITY_KEY_LEN	15

static struct node_identity *identity_find(const struct fips_node *n, const u8 *key)
{
	struct node_identity *e;

	HASH_FIND(hh, n->identities, key, IDENTITY_KEY_LEN, e);
	return e;
}

static void identity_free(struct fips_node *n, struct node_identity *e)
{
	if (!e->pins)
		DL_DELETE(n->identity_lru, e);
	HASH_DEL(n->identities, e);
	n->n_identities--;
	free(e);
}

static void identity_touch(struct fips_node *n, struct node_identity *e)
{
	e->seen_wall = n->now.wall_ms;
	if (e->pins)
		return;
	DL_DELETE(n->identity_lru, e);
	DL_APPEND(n->identity_lru, e);
}

static void identity_bound(struct fips_node *n)
{
	u64 size = n->timing.cache.identity_size ? n->timing.cache.identity_size : 1;

	while (n->n_identities > size && n->identity_lru)
		identity_free(n, n->identity_lru);
}

static struct node_identity *identity_insert(struct fips_node *n, const struct fips_identity *id)
{
	struct node_identity *e = identity_find(n, id->addr.b);

	if (e) {
		if (!fips_node_addr_eq(&e->id.addr, &id->addr)) {
			node_log(n, FIPS_LOG_WARN, "%s has the IPv6 address of %s: ignored",
				 id->npub, e->id.npub);
			return NULL;
		}
		identity_touch(n, e);
		return e;
	}
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->id = *id;
	e->seen_wall = n->now.wall_ms;
	HASH_ADD(hh, n->identities, id.addr, IDENTITY_KEY_LEN, e);
	DL_APPEND(n->identity_lru, e);
	n->n_identities++;
	return e;
}

/*
 * Learn or refresh. NULL if there is no memory, or if another node has the same
 * 15 bytes: two keys for one IPv6 address is an attack, the first one stays (01 §12).
 */
struct node_identity *node_identity_add(struct fips_node *n, const struct fips_identity *id)
{
	if (!identity_insert(n, id))
		return NULL;
	identity_bound(n);
	return identity_find(n, id->addr.b);
}

void node_identity_pin(struct fips_node *n, const struct fips_identity *id)
{
	struct node_identity *e = identity_insert(n, id);

	if (!e)
		return;
	if (!e->pins++)
		DL_DELETE(n->identity_lru, e);
	identity_bound(n);
}

void node_identity_unpin(struct fips_node *n, const struct fips_identity *id)
{
	struct node_identity *e = identity_find(n, id->addr.b);

	if (!e || !e->pins || !fips_node_addr_eq(&e->id.addr, &id->addr))
		return;
	if (--e->pins)
		return;
	DL_APPEND(n->identity_lru, e);
	identity_bound(n);
}

struct node_identity *node_identity_by_ipv6(struct fips_node *n, const u8 *ipv6)
{
	struct node_identity *e = identity_find(n, ipv6 + 1);

	if (e)
		identity_touch(n, e);
	return e;
}

/* Does not count as a use (09 §9). */
bool node_identity_known(const struct fips_node *n, const struct fips_identity *id)
{
	const struct node_identity *e = identity_find(n, id->addr.b);

	return e && fips_node_addr_eq(&e->id.addr, &id->addr);
}

void node_identity_destroy(struct fips_node *n)
{
	struct node_identity *e, *tmp;

	HASH_ITER(hh, n->identities, e, tmp)
		identity_free(n, e);
}
