// SPDX-License-Identifier: MIT
/*
 * Access control (spec 03 §17): asked before a dial, when a msg1 has named its
 * sender, when a msg2 has proved it, and once more before a link is used, for
 * the lists may have changed. New lists are put to those who are here already.
 */
#include "node_internal.h"

#define LOG_BURST	20
#define LOG_PER_SECOND	1.0

static void acl_log(struct fips_node *n, const struct fips_identity *id, const char *when,
		    enum fips_acl_verdict verdict)
{
	struct node_acl_log *log = &n->acl_log;
	struct fips_bucket_rate rate;

	/* Whoever is refused may come again as often as it likes. */
	fips_bucket_rate_set(&rate, LOG_BURST, LOG_PER_SECOND);
	if (!log->begun)
		fips_bucket_init(&log->bucket, &rate, n->now.mono_ms);
	log->begun = true;
	if (!fips_bucket_take(&log->bucket, &rate, n->now.mono_ms)) {
		log->skipped++;
		return;
	}
	node_log(n, FIPS_LOG_WARN, "Rejected peer by ACL peer=%s context=%s decision=%s", id->npub,
		 when, fips_acl_verdict_name(verdict));
	if (log->skipped)
		node_log(n, FIPS_LOG_WARN, "%llu more were rejected by ACL since the last line",
			 (unsigned long long)log->skipped);
	log->skipped = 0;
}

bool node_acl_allows(struct fips_node *n, const struct fips_identity *id, enum node_acl_when when)
{
	static const char *const names[] = {
		[NODE_ACL_OUTBOUND_CONNECT] = "outbound_connect",
		[NODE_ACL_INBOUND_HANDSHAKE] = "inbound_handshake",
		[NODE_ACL_OUTBOUND_HANDSHAKE] = "outbound_handshake",
		[NODE_ACL_PROMOTION] = "promotion",
		[NODE_ACL_RELOAD] = "reload",
	};
	enum fips_acl_verdict verdict = fips_acl_decide(&n->acl, &id->addr);
	u64 *const counters[] = {
		[NODE_ACL_OUTBOUND_CONNECT] = &n->counters.acl_outbound_connect,
		[NODE_ACL_INBOUND_HANDSHAKE] = &n->counters.acl_inbound_handshake,
		[NODE_ACL_OUTBOUND_HANDSHAKE] = &n->counters.acl_outbound_handshake,
		[NODE_ACL_PROMOTION] = &n->counters.acl_promotion,
		[NODE_ACL_RELOAD] = &n->counters.acl_reload,
	};

	if (fips_acl_verdict_allows(verdict))
		return true;
	(*counters[when])++;
	acl_log(n, id, names[when], verdict);
	return false;
}

static void acl_drop_peers(struct fips_node *n)
{
	struct node_peer *p, *tmp;

	HASH_ITER(hh, n->peers, p, tmp) {
		if (node_acl_allows(n, &p->id, NODE_ACL_RELOAD))
			continue;
		node_peer_disconnect(n, p, FIPS_DISC_CONFIG_CHANGE);
		node_dial_connected(n, &p->id.addr);	/* no retry entry stays */
		node_peer_remove(n, p, "rejected by ACL", false);
	}
}

int fips_node_set_acl(struct fips_node *n, const struct fips_clock *now, const struct fips_acl *acl)
{
	struct fips_acl copy;
	int ret = fips_acl_copy(&copy, acl);

	if (ret)
		return ret;
	node_enter(n, now);
	fips_acl_clear(&n->acl);
	n->acl = copy;
	acl_drop_peers(n);
	/* Who was denied and is no longer has no other reason to be dialled. */
	node_dial_transport_up(n);
	node_leave(n);
	return 0;
}
