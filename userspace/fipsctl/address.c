// SPDX-License-Identifier: MIT
/* fipsctl address: what follows from a public key. */
#include <stdio.h>
#include <string.h>

#include "../libfips/identity.h"
#include "fipsctl.h"
#include "rng.h"

static int print(const struct fipsctl *ctl, const struct fips_identity *id)
{
	char addr[FIPS_NODE_ADDR_SIZE], ipv6[FIPS_IPV6_TEXT_SIZE];
	json_t *obj;

	fips_node_addr_format(&id->addr, addr);
	fips_ipv6_format(id->ipv6, ipv6);
	if (!ctl->json) {
		printf("%-14s %s\n%-14s %s\n%-14s %s\n", "npub", id->npub, "node address", addr,
		       "IPv6 address", ipv6);
		return 0;
	}
	obj = json_pack("{s:s, s:s, s:s}", "npub", id->npub, "node_addr", addr, "ipv6_addr", ipv6);
	fipsctl_print_json(obj);
	json_decref(obj);
	return 0;
}

int fipsctl_address(const struct fipsctl *ctl, int argc, char **argv)
{
	struct fips_rng rng = { .random = fipsctl_random };
	struct fips_identity id;
	char npub[FIPSCTL_NPUB];
	struct fips_pk pk;
	int ret;

	if (argc != 1)
		return fipsctl_usage("address takes PEER", NULL);
	if (!fipsctl_find_peer(argv[0], npub) || sodium_init() < 0 || fips_pk_init(&pk, &rng))
		return FIPSCTL_FAILED;
	ret = fips_identity_from_npub(&pk, npub, strlen(npub), &id);
	fips_pk_destroy(&pk);
	if (ret >= 0)
		return print(ctl, &id);
	fprintf(stderr, "fipsctl: \"%s\" is no npub: %s\n", npub, fips_key_strerror(ret));
	return FIPSCTL_FAILED;
}
