// SPDX-License-Identifier: MIT
/* fipsctl connect, disconnect (spec 13 §7, §9.1). */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "../fipsd/hosts.h"
#include "fipsctl.h"
#include "rng.h"

static void warn(void *ctx, const char *sentence)
{
	(void)ctx;
	fprintf(stderr, "fipsctl: %s\n", sentence);
}

/* An npub as it is, else a name of the hosts file. @npub: FIPSCTL_NPUB bytes. */
bool fipsctl_find_peer(const char *word, char *npub)
{
	struct fips_hosts hosts = { .warn = warn };
	struct fips_rng rng = { .random = fipsctl_random };
	const struct fips_host *host = NULL;
	struct fips_pk pk;

	if (!strncmp(word, "npub1", 5)) {
		snprintf(npub, FIPSCTL_NPUB, "%s", word);
		return true;
	}
	if (!fips_pk_init(&pk, &rng)) {
		fips_hosts_load(&hosts, &pk, FIPS_HOSTS_FILE);
		host = fips_hosts_by_name(&hosts, word);
		if (host)
			snprintf(npub, FIPSCTL_NPUB, "%s", host->id.npub);
		fips_pk_destroy(&pk);
	}
	fips_hosts_clear(&hosts);
	if (!host)
		fprintf(stderr, "fipsctl: \"%s\" is no npub, and %s has no such name\n", word,
			FIPS_HOSTS_FILE);
	return host;
}

/* An underlay address inside the mesh would be dialled through itself. */
static bool inside_mesh(const char *transport, const char *address)
{
	struct in6_addr in6;
	char text[128];
	size_t len = strlen(address);
	char *colon;

	if (strncmp(transport, "udp", 3) && strncmp(transport, "tcp", 3) &&
	    strncmp(transport, "ethernet", 8))
		return false;
	if (len >= sizeof(text))
		return false;
	if (*address == '[') {
		snprintf(text, sizeof(text), "%s", address + 1);
		text[strcspn(text, "]%")] = '\0';
	} else {
		snprintf(text, sizeof(text), "%s", address);
	}
	if (inet_pton(AF_INET6, text, &in6) == 1)
		return in6.s6_addr[0] == 0xfd;
	colon = strrchr(text, ':');
	if (colon)
		*colon = '\0';
	return inet_pton(AF_INET6, text, &in6) == 1 && in6.s6_addr[0] == 0xfd;
}

int fipsctl_connect(const struct fipsctl *ctl, int argc, char **argv)
{
	char npub[FIPSCTL_NPUB];
	json_t *data;

	if (argc != 3)
		return fipsctl_usage("connect takes PEER ADDRESS TRANSPORT", NULL);
	if (inside_mesh(argv[2], argv[1])) {
		fprintf(stderr, "fipsctl: %s is an address inside the mesh (fd00::/8)\n", argv[1]);
		return FIPSCTL_FAILED;
	}
	if (!fipsctl_find_peer(argv[0], npub))
		return FIPSCTL_FAILED;
	data = fipsctl_request(ctl, "connect", json_pack("{s:s, s:s, s:s}", "npub", npub,
							 "address", argv[1], "transport", argv[2]));
	if (!data)
		return FIPSCTL_FAILED;
	if (ctl->json)
		fipsctl_print_json(data);
	else
		printf("dialling %s at %s %s%s\n", npub, argv[2], argv[1],
		       json_is_true(json_object_get(data, "refreshed")) ?
		       " (it is a peer already; trying this path)" : "");
	json_decref(data);
	return 0;
}

int fipsctl_disconnect(const struct fipsctl *ctl, int argc, char **argv)
{
	char npub[FIPSCTL_NPUB];
	json_t *data;

	if (argc != 1)
		return fipsctl_usage("disconnect takes PEER", NULL);
	if (!fipsctl_find_peer(argv[0], npub))
		return FIPSCTL_FAILED;
	data = fipsctl_request(ctl, "disconnect", json_pack("{s:s}", "npub", npub));
	if (!data)
		return FIPSCTL_FAILED;
	if (ctl->json)
		fipsctl_print_json(data);
	else
		printf("disconnected %s\n", npub);
	json_decref(data);
	return 0;
}
