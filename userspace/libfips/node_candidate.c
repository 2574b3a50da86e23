// SPDX-License-Identifier: MIT
/*
 * Inbound handshakes (spec 03 §7 as §28.1 recommends it): whoever sends a msg1
 * gets a msg2 and a candidate, which proves nothing and displaces nothing. The
 * first frame that authenticates under it makes it a link.
 */

#include <errno.h>

#include "node_internal.h"

/**
 * struct inbound - a msg1 on its way through the checks
 * @n: node
 * @class: what its source says
 * @gate: its transport takes no strangers: the identity must be that of the endpoint
 * @transport_id: arrived on
 * @from: source
 * @id: who says to be the sender
 */
struct inbound {
	struct fips_node *n;
	struct node_class class;
	bool gate;
	u32 transport_id;
	const struct fips_taddr *from;
	struct fips_identity id;
};

/* All that can be said once the static key is known, before more is computed. */
static int inbound_check(void *ctx, const u8 *pub33)
{
	struct inbound *in = ctx;
	struct fips_node *n = in->n;

	if (fips_identity_from_pub33(n->env.pk, pub33, &in->id))
		return -EINVAL;
	if (!memcmp(in->id.x, n->env.self->id.x, FIPS_KEY_LEN))
		return -ELOOP;	/* ourselves (03 §7) */
	if (in->gate && !fips_node_addr_eq(&in->id.addr, &in->class.owner)) {
		node_log(n, FIPS_LOG_WARN, "msg1 of %s from an endpoint of another node",
			 in->id.npub);
		return -EACCES;
	}
	if (!node_acl_allows(n, &in->id, NODE_ACL_INBOUND_HANDSHAKE))
		return -EACCES;
	/* 03 §7.1 row 1: refused before a msg2, unless we are dialling it ourselves */
	if (!node_peer_find(n, &in->id.addr) && !node_peer_room(n, &in->id.addr) &&
	    !node_link_of_peer(n, &in->id.addr, NODE_LINK_DIALING))
		return -EUSERS;
	return node_admit_answer(n, &in->class, in->transport_id, in->from) ? 0 : -EBUSY;
}

/* Keys of this age are renewed; a handshake beside younger ones crosses their own. */
static bool candidate_is_rekey(const struct fips_node *n, const struct node_peer *p)
{
	return p->link->renewed || n->now.mono_ms - p->link->active_since >= NODE_YOUNG_MS;
}

/*
 * 03 §28.1 step 4: a second handshake of the same process while the first link
 * is young and alive is a sibling leg or a replay. Silence, as the reference;
 * but not when the peer has stopped using that link, for it may have lost it.
 */
static bool candidate_superfluous(const struct fips_node *n, const struct fips_node_addr *addr,
				  const u8 *epoch)
{
	const struct node_peer *p = node_peer_find(n, addr);
	u64 patience = n->timing.heartbeat_interval_secs * 1000 + 2000;
	u64 silent;

	if (!p || memcmp(p->epoch, epoch, FIPS_EPOCH_LEN))
		return false;
	if (candidate_is_rekey(n, p))
		return false;
	return node_link_heard(n, p->link, &silent) && silent < patience;
}

static bool candidate_unwanted(struct fips_node *n, const struct fips_node_addr *addr,
			       const u8 *epoch)
{
	const struct node_peer *p = node_peer_find(n, addr);

	if (candidate_superfluous(n, addr, epoch))
		return true;
	return p && !memcmp(p->epoch, epoch, FIPS_EPOCH_LEN) && node_rekey_defends(n, p);
}

static void candidate_evict(struct fips_node *n, struct node_link *l)
{
	n->counters.candidates_evicted++;
	/* Its initiator may be honest: a repeated msg1 starts afresh. */
	if (l->cache)
		node_admit_forget(n, l->cache);
	node_link_free(n, l);
}

/* Keep every bound before one more is made: evict the oldest of the class that is full. */
static void candidate_make_room(struct fips_node *n, const struct node_link *l)
{
	u64 limit = n->timing.limits.max_pending_inbound;
	struct node_link *i, *tmp, *first = NULL, *first_node = NULL, *first_prefix = NULL;
	unsigned int total = 0, node = 0, prefix = 0;

	if (!limit || limit > NODE_CANDIDATES)
		limit = NODE_CANDIDATES;
	DL_FOREACH_SAFE(n->link_list, i, tmp) {
		if (i->state != NODE_LINK_CANDIDATE || i == l || i->friendly != l->friendly)
			continue;
		first = first ? first : i;
		total++;
		if (fips_node_addr_eq(&i->peer.addr, &l->peer.addr)) {
			first_node = first_node ? first_node : i;
			node++;
		} else if (i->source == l->source && !l->friendly) {
			first_prefix = first_prefix ? first_prefix : i;
			prefix++;
		}
	}
	if (node >= NODE_CANDIDATES_PEER)
		candidate_evict(n, first_node);
	else if (prefix + node >= NODE_CANDIDATES_PREFIX)
		candidate_evict(n, first_prefix);
	else if (total >= limit)
		candidate_evict(n, first);
}

/* K as the peer expects it: toggled if this is the rekey of a grown-up link (03 §23). */
static u8 candidate_k_bit(const struct fips_node *n, const struct node_link *l)
{
	const struct node_peer *p = node_peer_find(n, &l->peer.addr);

	if (!p || memcmp(p->epoch, l->epoch, sizeof(l->epoch)))
		return 0;
	return candidate_is_rekey(n, p) ? !p->link->k_bit : p->link->k_bit;
}

/* A rekey on the path of the link renews that link; all else is a link of its own. */
static void candidate_find_host(struct fips_node *n, struct node_link *l)
{
	struct node_peer *p = node_peer_find(n, &l->peer.addr);

	if (!p || memcmp(p->epoch, l->epoch, sizeof(l->epoch)) || !candidate_is_rekey(n, p) ||
	    p->link->transport_id != l->transport_id ||
	    !fips_taddr_eq(&p->link->remote, &l->remote))
		return;
	l->host = node_rekey_host(n, p);
	if (l->host)
		l->host->guest = l;
}

static int candidate_answer(struct fips_node *n, struct node_link *l, struct fips_noise *noise,
			    const u8 *msg1)
{
	u8 msg2[FIPS_MSG2_LEN], buf[FIPS_NOISE_MSG_MAX];
	struct fips_fmp_msg2 out = {
		.sender_idx = l->our_index,
		.receiver_idx = l->their_index,
		.noise = buf,
	};
	int ret = fips_noise_write(noise, buf, sizeof(buf));

	if (ret < 0)
		return ret;
	ret = fips_fmp_msg2_build(msg2, sizeof(msg2), &out);
	if (ret < 0)
		return ret;
	ret = node_link_install(n, l, noise);
	if (ret && ret != -EINPROGRESS)
		return ret;
	if (!node_admit_remember(n, msg1, msg2, l))
		return -ENOMEM;
	return n->ops->raw_send(n->ctx, l->transport_id, &l->remote, msg2, sizeof(msg2));
}

static void candidate_make(struct inbound *in, const u8 *data, u32 their_index,
			   struct fips_noise *noise)
{
	struct fips_node *n = in->n;
	struct node_link *l = node_link_new(n, in->transport_id, in->from, &in->id);
	int ret;

	if (!l) {
		n->counters.handshake_bad_state++;
		return;
	}
	l->their_index = their_index;
	memcpy(l->epoch, fips_noise_remote_epoch(noise), sizeof(l->epoch));
	l->k_bit = candidate_k_bit(n, l);
	l->friendly = node_peer_friend(n, &in->id.addr);
	l->source = node_admit_prefix(n, in->from);
	candidate_find_host(n, l);
	node_link_enter(n, l, l->host ? NODE_LINK_NEXT : NODE_LINK_CANDIDATE);
	if (!l->host)
		candidate_make_room(n, l);
	ret = candidate_answer(n, l, noise, data);
	if (!ret)
		return;
	node_log(n, FIPS_LOG_WARN, "msg1 of %s could not be answered: %d", in->id.npub, ret);
	n->counters.handshake_bad_state++;
	if (l->cache)
		node_admit_forget(n, l->cache);
	node_link_free(n, l);
}

/* The cryptographic part; @in is filled with who it is. */
static void candidate_read(struct inbound *in, const u8 *data, const struct fips_fmp_msg1 *msg1)
{
	const struct fips_noise_check check = { .check = inbound_check, .ctx = in };
	struct fips_node *n = in->n;
	struct fips_noise *noise;
	int ret;

	if (fips_noise_responder(&n->env, FIPS_NOISE_IK, &noise))
		return;
	ret = fips_noise_read(noise, msg1->noise, FIPS_NOISE_IK1_LEN, &check);
	if (ret == -EBUSY)
		n->counters.msg1_rate_limited++;
	else if (ret)
		n->counters.handshake_bad_state++;
	else if (!candidate_unwanted(n, &in->id.addr, fips_noise_remote_epoch(noise)))
		candidate_make(in, data, msg1->sender_idx, noise);
	fips_noise_free(noise);
}

/* A msg1 that has had its answer gets it again; not more often than an honest sender asks. */
static void candidate_repeat(const struct inbound *in, struct node_msg1 *seen)
{
	struct fips_node *n = in->n;

	n->counters.msg1_replayed++;
	if (!seen->link || n->now.mono_ms - seen->answered < NODE_MSG1_GAP_MS)
		return;
	seen->answered = n->now.mono_ms;
	n->ops->raw_send(n->ctx, in->transport_id, in->from, seen->msg2, sizeof(seen->msg2));
}

/**
 * node_candidate_msg1() - somebody wants to talk
 * @n: node
 * @transport_id: arrived on
 * @from: source
 * @data: packet, %FIPS_MSG1_LEN bytes
 * @len: its length
 *
 * Cheap checks first; a wrong header costs nothing, a repetition a hash.
 */
void node_candidate_msg1(struct fips_node *n, u32 transport_id, const struct fips_taddr *from,
			 const u8 *data, size_t len)
{
	const struct node_transport *t = node_transport_find(n, transport_id);
	struct inbound in = { .n = n, .transport_id = transport_id, .from = from };
	struct fips_fmp_msg1 msg1;
	struct node_msg1 *seen;

	if (n->draining)	/* 03 §20 */
		return;
	if (!t || fips_fmp_msg1_parse(data, len, &msg1)) {
		n->counters.handshake_bad_state++;
		return;
	}
	in.class = node_admit_classify(n, transport_id, from);
	in.gate = !t->info.accept;
	if (in.gate && !in.class.established) {
		n->counters.handshake_bad_state++;
		return;
	}
	seen = node_admit_seen(n, data);
	if (seen)
		candidate_repeat(&in, seen);
	else if (node_admit_read(n, &in.class, transport_id, from))
		candidate_read(&in, data, &msg1);
	else
		n->counters.msg1_rate_limited++;
}

/*
 * Did both sides dial, be it to refresh the link, and is ours the one that stays
 * (03 §10.2)? We hold our own handshake, the smaller node's; the peer, which has
 * not seen our msg2 exchange through, still speaks on its own.
 */
static bool candidate_crossed(const struct fips_node *n, const struct node_peer *p,
			      const struct node_link *l)
{
	return !p->link->asked && l->created <= p->link->active_since &&
	       fips_node_addr_cmp(&n->env.self->id.addr, &p->id.addr) < 0;
}

/**
 * node_candidate_confirm() - a frame authenticated under a candidate (03 §28.1 step 5)
 * @n: node
 * @l: candidate; may be freed
 *
 * Now the sender of the msg1 is proven, and that it is alive.
 */
void node_candidate_confirm(struct fips_node *n, struct node_link *l)
{
	struct node_peer *p = node_peer_find(n, &l->peer.addr);
	struct node_link *held;

	if (l->state != NODE_LINK_CANDIDATE)
		return;
	if (p && !memcmp(p->epoch, l->epoch, sizeof(l->epoch)) && candidate_crossed(n, p, l)) {
		node_log(n, FIPS_LOG_DEBUG, "%s: both dialled, our handshake stays", l->peer.npub);
		node_link_enter(n, l, NODE_LINK_STANDBY);
		node_link_heartbeat(n, p->link);
		return;
	}
	held = node_link_of_peer(n, &l->peer.addr, NODE_LINK_HELD);
	if (held)
		node_link_enter(n, held, NODE_LINK_STANDBY);
	node_peer_promote(n, l);
}
