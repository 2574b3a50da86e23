// SPDX-License-Identifier: MIT
/*
 * A fips device by hand: own it, lend it a UDP socket, install links, sessions
 * and routes with keys that follow from the nodes' numbers, then print upcalls
 * until killed. No handshake, no daemon: the kernel data plane alone.
 *
 *   nlpeer DEV NODE PORT [MTU] { link NODE ADDRESS PORT | session NODE | route NODE via NODE }...
 *
 * NLPEER_LINGER in the environment sets the seconds that traffic outlives us.
 * Node n has the IPv6 address that "nlpeer address n" prints.
 */

#include "nlclient.h"


static struct nlc client;

static void check(int err, const char *what, const char *arg)
{
	if (!err)
		return;
	fprintf(stderr, "nlpeer: %s %s: %s: %s\n", what, arg, strerror(-err), client.extack);
	exit(1);
}

static const char *const upcalls[] = {
	[FIPS_CMD_TRANSPORT_CLOSED] = "transport-closed",
	[FIPS_CMD_LINK_MSG] = "link-msg",
	[FIPS_CMD_LINK_CONFIRMED] = "link-confirmed",
	[FIPS_CMD_LINK_FLOAT] = "link-float",
	[FIPS_CMD_LINK_ACTIVE] = "link-active",
	[FIPS_CMD_LINK_KEY_USED] = "link-key-used",
	[FIPS_CMD_LINK_KEY_LIMIT] = "link-key-limit",
	[FIPS_CMD_SESSION_MSG] = "session-msg",
	[FIPS_CMD_SESSION_MISS] = "session-miss",
	[FIPS_CMD_SESSION_ACTIVE] = "session-active",
	[FIPS_CMD_SESSION_KEY_USED] = "session-key-used",
	[FIPS_CMD_SESSION_KEY_LIMIT] = "session-key-limit",
	[FIPS_CMD_MTU_EXCEEDED] = "mtu-exceeded",
	[FIPS_CMD_ROUTE_MISS] = "route-miss",
	[FIPS_CMD_COORDS] = "coords",
};

static void print_upcall(struct nlmsghdr *nlh, void *arg)
{
	struct genlmsghdr *genl = genlmsg_hdr(nlh);
	const char *name = NULL;

	(void)arg;
	if (genl->cmd < sizeof(upcalls) / sizeof(upcalls[0]))
		name = upcalls[genl->cmd];
	printf("%s\n", name ? name : "?");
	fflush(stdout);
}

static void parse_address(struct sockaddr_in6 *to, const char *address, const char *port)
{
	struct in_addr in4;

	memset(to, 0, sizeof(*to));
	to->sin6_family = AF_INET6;
	to->sin6_port = htons(atoi(port));
	if (inet_pton(AF_INET, address, &in4) == 1) {
		to->sin6_addr.s6_addr[10] = 0xff;
		to->sin6_addr.s6_addr[11] = 0xff;
		memcpy(to->sin6_addr.s6_addr + 12, &in4, 4);
	} else if (inet_pton(AF_INET6, address, &to->sin6_addr) != 1) {
		fprintf(stderr, "nlpeer: no address: %s\n", address);
		exit(1);
	}
}

static int print_address(const char *node)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr ipv6;

	nlc_node_ipv6(&ipv6, atoi(node));
	puts(inet_ntop(AF_INET6, &ipv6, text, sizeof(text)));
	return 0;
}

static void configure(unsigned int ifindex, unsigned int node, char **argv)
{
	struct sockaddr_in6 to;

	while (*argv) {
		if (!strcmp(*argv, "link") && argv[1] && argv[2] && argv[3]) {
			parse_address(&to, argv[2], argv[3]);
			check(nlc_link(&client, ifindex, 1, node, atoi(argv[1]), &to), "link",
			      argv[1]);
			argv += 4;
		} else if (!strcmp(*argv, "session") && argv[1]) {
			check(nlc_session(&client, ifindex, node, atoi(argv[1])), "session",
			      argv[1]);
			argv += 2;
		} else if (!strcmp(*argv, "route") && argv[1] && argv[2] && argv[3]) {
			check(nlc_route(&client, ifindex, atoi(argv[1]), atoi(argv[3])), "route",
			      argv[1]);
			argv += 4;
		} else {
			fprintf(stderr, "nlpeer: what is %s?\n", *argv);
			exit(1);
		}
	}
}

int main(int argc, char **argv)
{
	unsigned int ifindex, node;
	uint16_t mtu = 1472;
	int arg = 4;

	if (argc == 3 && !strcmp(argv[1], "address"))
		return print_address(argv[2]);
	if (argc < 4) {
		fprintf(stderr, "usage: nlpeer DEV NODE PORT [MTU] [link|session|route ...]...\n");
		return 1;
	}
	ifindex = if_nametoindex(argv[1]);
	node = atoi(argv[2]);
	if (argc > arg && atoi(argv[arg]))
		mtu = atoi(argv[arg++]);

	nlc_open(&client);
	client.upcall = print_upcall;
	check(nlc_own(&client, ifindex, false), "own", argv[1]);
	check(nlc_dev_node(&client, ifindex, node), "node", argv[2]);
	if (getenv("NLPEER_LINGER"))
		check(nlc_linger(&client, ifindex, atoi(getenv("NLPEER_LINGER"))), "linger",
		      getenv("NLPEER_LINGER"));
	check(nlc_dev_mtu(&client, ifindex, mtu), "transport-mtu", argv[1]);
	check(nlc_transport(&client, ifindex, 1, nlc_udp(AF_INET6, atoi(argv[3])), mtu),
	      "transport", argv[3]);
	configure(ifindex, node, argv + arg);
	puts("ready");
	fflush(stdout);
	for (;;)
		nlc_receive(&client, 0, NULL, NULL);
}
