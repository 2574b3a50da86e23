/* SPDX-License-Identifier: GPL-2.0-only */
/* What the netlink handlers (netlink*.c) and upcalls share. */
#ifndef _FIPS_NL_H
#define _FIPS_NL_H

#include <net/genetlink.h>

#include "slot.h"
#include "stats.h"

struct fips_device;
struct fips_endpoint;
struct net;

extern struct genl_family fips_nl_family;

/* The request lacks an attribute: say so in a sentence. True if it is missing. */
#define FIPS_NL_MISSING(info, attr, name) ({						\
	struct genl_info *__fips = (info);						\
	bool __missing = GENL_REQ_ATTR_CHECK(__fips, attr);				\
											\
	if (__missing)									\
		NL_SET_ERR_MSG(__fips->extack, "attribute " name " is missing");	\
	__missing;									\
})

/* Refuse with a sentence, pointing at an attribute. */
#define FIPS_NL_REFUSE(info, attr, err, msg) ({						\
	struct genl_info *__fips = (info);						\
											\
	NL_SET_ERR_MSG_ATTR(__fips->extack, __fips->attrs[attr], msg);			\
	err;										\
})

/* The device that pre_doit has found and locked. */
static inline struct fips_device *fips_nl_dev(const struct genl_info *info)
{
	return info->user_ptr[0];
}

struct fips_device *fips_nl_dev_lock(struct net *net, u32 portid, const struct nlattr *attr,
				     struct netlink_ext_ack *extack);
void fips_nl_dev_unlock(struct fips_device *fips);

/**
 * struct fips_nl_reply - an answer under construction
 * @skb: message
 * @hdr: its genetlink header
 */
struct fips_nl_reply {
	struct sk_buff *skb;
	void *hdr;
};

int fips_nl_reply_new(struct fips_nl_reply *reply, struct genl_info *info);
int fips_nl_reply_send(struct fips_nl_reply *reply, struct genl_info *info, int err);

/**
 * struct fips_nl_dump - place of a dump in the cb between two messages
 * @next: key to go on from
 * @done: all are shown
 */
struct fips_nl_dump {
	unsigned long next;
	bool done;
};

static inline struct fips_nl_dump *fips_nl_dump(struct netlink_callback *cb)
{
	BUILD_BUG_ON(sizeof(struct fips_nl_dump) > sizeof(cb->ctx));
	return (struct fips_nl_dump *)cb->ctx;
}

struct fips_device *fips_nl_dump_lock(struct netlink_callback *cb);
void *fips_nl_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);

int fips_nl_parse_key(struct fips_key_params *key, struct genl_info *info, int attrtype,
		      bool *given);
int fips_nl_put_keys(struct sk_buff *skb, int attrtype, struct fips_slots *slots, bool with_index);
int fips_nl_put_stats(struct sk_buff *skb, int attrtype, const struct fips_stats_sum *sum);
int fips_nl_put_ifindex(struct sk_buff *skb, const struct fips_device *fips);
int fips_nl_put_ms_since(struct sk_buff *skb, int attrtype, unsigned long since, int pad);
int fips_nl_put_endpoint(struct sk_buff *skb, const struct fips_endpoint *ep);
u32 fips_nl_take(const struct nlattr *attr);
void fips_nl_sr_bytes(struct fips_mmp_report *report, u32 take, u64 *sr_bytes);
int fips_nl_put_mmp(struct sk_buff *skb, int attrtype, const struct fips_mmp_report *report);
void fips_nl_take_interval(struct fips_stats_sum *reported, const struct fips_counters *counters,
			   struct fips_stats_sum *interval);

#endif /* _FIPS_NL_H */
