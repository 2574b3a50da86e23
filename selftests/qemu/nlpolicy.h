/* SPDX-License-Identifier: MIT */
/*
 * Policies of the "fips" netlink family, as the kernel tells them
 * (CTRL_CMD_GETPOLICY): what each command takes.
 */
#ifndef FIPS_SELFTESTS_NLPOLICY_H
#define FIPS_SELFTESTS_NLPOLICY_H

#include <linux/genetlink.h>

#include "nlclient.h"

#define POLICIES	96
#define ATTRS		40
#define COMMANDS	256

/* What a policy says about an attribute; type 0: the kernel does not tell. */
struct rule {
	bool known;
	uint32_t type;
	uint64_t min, max;
	uint32_t min_len, max_len;
	uint32_t nested;
};

static struct rule policies[POLICIES][ATTRS];
static unsigned int n_attrs[POLICIES];
static int command_policy[COMMANDS];

static inline void read_rule(struct nlattr *attr, struct rule *r)
{
	struct nlattr *a;
	int left;

	r->known = true;
	r->max = ~(uint64_t)0;
	nla_for_each_nested(a, attr, left) {
		switch (nla_type(a)) {
		case NL_POLICY_TYPE_ATTR_TYPE:
			r->type = nla_get_u32(a);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_VALUE_U:
			r->min = nla_get_u64(a);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_VALUE_U:
			r->max = nla_get_u64(a);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_LENGTH:
			r->min_len = nla_get_u32(a);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_LENGTH:
			r->max_len = nla_get_u32(a);
			break;
		case NL_POLICY_TYPE_ATTR_POLICY_IDX:
			r->nested = nla_get_u32(a);
			break;
		}
	}
}

static inline void read_policies(struct nlattr *all)
{
	struct nlattr *policy, *attr;
	int left, attr_left;

	nla_for_each_nested(policy, all, left) {
		unsigned int p = nla_type(policy);

		if (p >= POLICIES)
			nlc_die("too many policies");
		nla_for_each_nested(attr, policy, attr_left) {
			unsigned int i = nla_type(attr);

			if (i >= ATTRS)
				nlc_die("too many attributes");
			read_rule(attr, &policies[p][i]);
			if (i >= n_attrs[p])
				n_attrs[p] = i + 1;
		}
	}
}

static inline void read_commands(struct nlattr *all)
{
	struct nlattr *op, *idx;
	int left;

	nla_for_each_nested(op, all, left) {
		idx = nla_find(nla_data(op), nla_len(op), CTRL_ATTR_POLICY_DO);
		if (idx && nla_type(op) < COMMANDS)
			command_policy[nla_type(op)] = (int)nla_get_u32(idx);
	}
}

static inline void read_policy(struct nlmsghdr *nlh, void *arg)
{
	struct nlattr *a;

	(void)arg;
	a = nlmsg_find_attr(nlh, GENL_HDRLEN, CTRL_ATTR_POLICY);
	if (a)
		read_policies(a);
	a = nlmsg_find_attr(nlh, GENL_HDRLEN, CTRL_ATTR_OP_POLICY);
	if (a)
		read_commands(a);
}

/* Ask for all policies; returns the number of the family. */
static inline int ask_policies(void)
{
	struct nl_msg *msg;
	struct nlc ctrl;
	int family, i;

	for (i = 0; i < COMMANDS; i++)
		command_policy[i] = -1;
	nlc_open(&ctrl);
	family = ctrl.family;
	ctrl.family = GENL_ID_CTRL;
	msg = nlc_msg(&ctrl, CTRL_CMD_GETPOLICY, NLM_F_DUMP);
	nla_put_u16(msg, CTRL_ATTR_FAMILY_ID, family);
	if (nlc_call(&ctrl, msg, read_policy, NULL) || command_policy[FIPS_CMD_LINK_NEW] < 0)
		nlc_die("CTRL_CMD_GETPOLICY");
	nlc_close(&ctrl);
	return family;
}

#endif /* FIPS_SELFTESTS_NLPOLICY_H */
