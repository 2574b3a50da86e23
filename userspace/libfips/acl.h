/* SPDX-License-Identifier: MIT */
/* Which neighbours are welcome (spec 03 §17): two lists, and who wins. */
#ifndef _LIBFIPS_ACL_H
#define _LIBFIPS_ACL_H

#include "identity.h"

/**
 * struct fips_acl_list - one file's worth of nodes
 * @all: everybody is on it
 * @v: nodes, sorted; owned
 * @n: number of @v
 */
struct fips_acl_list {
	bool all;
	struct fips_node_addr *v;
	size_t n;
};

/**
 * struct fips_acl - allow and deny; all zero allows everybody
 * @allow: who is welcome whatever @deny says
 * @deny: who is not
 */
struct fips_acl {
	struct fips_acl_list allow;
	struct fips_acl_list deny;
};

/* In the order in which they are asked. */
enum fips_acl_verdict {
	FIPS_ACL_ALLOW_ALL,
	FIPS_ACL_ALLOW_LISTED,
	FIPS_ACL_DENY_ALL,
	FIPS_ACL_DENY_LISTED,
	FIPS_ACL_DEFAULT,	/* allowed */
};

/* Keeps the list sorted and without doubles. 0 or -ENOMEM. */
int fips_acl_list_add(struct fips_acl_list *list, const struct fips_node_addr *addr);
enum fips_acl_verdict fips_acl_decide(const struct fips_acl *acl,
				      const struct fips_node_addr *addr);
bool fips_acl_verdict_allows(enum fips_acl_verdict verdict);
/* "denylist match" and so on, as the log has them (spec 16 §1.3). */
const char *fips_acl_verdict_name(enum fips_acl_verdict verdict);
/* Is there any rule? */
bool fips_acl_active(const struct fips_acl *acl);
/* effective_mode of spec 03 §17.3. */
const char *fips_acl_mode(const struct fips_acl *acl);
/* @to is overwritten. 0 or -ENOMEM (@to is empty). */
int fips_acl_copy(struct fips_acl *to, const struct fips_acl *from);
void fips_acl_clear(struct fips_acl *acl);

#endif /* _LIBFIPS_ACL_H */
