// SPDX-License-Identifier: MIT
/*
 * Access control lists as the node asks them. Nodes, not keys: an npub says
 * nothing of its key's parity (spec 03 §17.2).
 */
#include <errno.h>
#include <stdlib.h>

#include "acl.h"

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct fips_node_addr));
}

/* Where @addr is, or where it belongs. */
static size_t position(const struct fips_acl_list *list, const struct fips_node_addr *addr)
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (compare(&list->v[mid], addr) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool listed(const struct fips_acl_list *list, const struct fips_node_addr *addr)
{
	size_t at = position(list, addr);

	return at < list->n && fips_node_addr_eq(&list->v[at], addr);
}

int fips_acl_list_add(struct fips_acl_list *list, const struct fips_node_addr *addr)
{
	size_t at = position(list, addr);
	struct fips_node_addr *v;

	if (at < list->n && fips_node_addr_eq(&list->v[at], addr))
		return 0;
	v = realloc(list->v, (list->n + 1) * sizeof(*v));
	if (!v)
		return -ENOMEM;
	list->v = v;
	memmove(&v[at + 1], &v[at], (list->n++ - at) * sizeof(*v));
	v[at] = *addr;
	return 0;
}

enum fips_acl_verdict fips_acl_decide(const struct fips_acl *acl,
				      const struct fips_node_addr *addr)
{
	if (acl->allow.all)
		return FIPS_ACL_ALLOW_ALL;
	if (listed(&acl->allow, addr))
		return FIPS_ACL_ALLOW_LISTED;
	if (acl->deny.all)
		return FIPS_ACL_DENY_ALL;
	if (listed(&acl->deny, addr))
		return FIPS_ACL_DENY_LISTED;
	return FIPS_ACL_DEFAULT;
}

bool fips_acl_verdict_allows(enum fips_acl_verdict verdict)
{
	return verdict != FIPS_ACL_DENY_ALL && verdict != FIPS_ACL_DENY_LISTED;
}

const char *fips_acl_verdict_name(enum fips_acl_verdict verdict)
{
	static const char *const names[] = {
		[FIPS_ACL_ALLOW_ALL] = "allow all",
		[FIPS_ACL_ALLOW_LISTED] = "allowlist match",
		/* The reference has one text for both. */
		[FIPS_ACL_DENY_ALL] = "denylist match",
		[FIPS_ACL_DENY_LISTED] = "denylist match",
		[FIPS_ACL_DEFAULT] = "default",
	};

	return names[verdict];
}

bool fips_acl_active(const struct fips_acl *acl)
{
	return acl->allow.all || acl->deny.all || acl->allow.n || acl->deny.n;
}

const char *fips_acl_mode(const struct fips_acl *acl)
{
	if (acl->allow.all)
		return "allow_all";
	if (acl->allow.n)
		return acl->deny.all ? "allow_then_deny_all" :
		       acl->deny.n ? "allow_then_deny" : "allowlist";
	return acl->deny.all ? "deny_all" : acl->deny.n ? "denylist" : "default_open";
}

static int list_copy(struct fips_acl_list *to, const struct fips_acl_list *from)
{
	*to = (struct fips_acl_list){ .all = from->all };
	if (!from->n)
		return 0;
	to->v = malloc(from->n * sizeof(*to->v));
	if (!to->v)
		return -ENOMEM;
	memcpy(to->v, from->v, from->n * sizeof(*to->v));
	to->n = from->n;
	return 0;
}

int fips_acl_copy(struct fips_acl *to, const struct fips_acl *from)
{
	*to = (struct fips_acl){ 0 };
	if (!list_copy(&to->allow, &from->allow) && !list_copy(&to->deny, &from->deny))
		return 0;
	fips_acl_clear(to);
	return -ENOMEM;
}

void fips_acl_clear(struct fips_acl *acl)
{
	free(acl->allow.v);
	free(acl->deny.v);
	*acl = (struct fips_acl){ 0 };
}
