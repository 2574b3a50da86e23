// SPDX-License-Identifier: MIT
/*
 * A fips device by hand: own it, lend it a UDP socket, install links, sessions
 * and routes with keys that follow from the nodes' numbers, then print upcalls
 * until killed. No handshake, no daemon: the kernel data plane alone.
 *
 *   nlpeer DEV NODE PORT [MTU] COMMAND...
 *
 * Commands, also line by line on standard input:
 *   link NODE ADDRESS PORT, session NODE    with the keys of epoch 0
 *   link-bare NODE ADDRESS PORT             its index, no keys yet
 *   session-bare NODE                       no keys yet
 *   route NODE via NODE
 *   link-key NODE EPOCH PLACE, session-key NODE EPOCH PLACE    0 current, 1 next
 *   link-swap NODE, session-swap NODE
 *   unreachable NODE MS, route-unreachable NODE MS
 *   route-set FIRST LAST via NODE           for all from FIRST to LAST
 *   link-mtu NODE MTU, link-congested NODE 0|1
 *   dgram VIA FROM FIRST LAST TTL LEN       a SessionDatagram with LEN bytes of payload
 *                                           to each node from FIRST to LAST
 *   say WORD                                when all before is done
 *
 * NLPEER_LINGER in the environment sets the seconds that traffic outlives us.
 * Node n has the IPv6 address that "nlpeer address n" prints.
 */

#include <poll.h>

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
	[FIPS_CMD_ROUTE_BACK] = "route-back",
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

/* Index or keys of an epoch, at a place: 0 current, 1 next. Index 0 of a bare link has no keys. */
static int set_key(unsigned int ifindex, char layer, unsigned int local, unsigned int remote,
		   unsigned int epoch, uint32_t place)
{
	bool link = layer == 'l';
	struct nl_msg *msg;

	if (link) {
		msg = nlc_dev_msg(&client, FIPS_CMD_LINK_KEY_NEW, ifindex);
		nla_put_u32(msg, FIPS_A_LINK_ID, remote);
	} else {
		msg = nlc_session_msg(&client, FIPS_CMD_SESSION_KEY_NEW, ifindex, remote);
	}
	nlc_put_key(msg, link ? FIPS_A_LINK_KEY : FIPS_A_SESSION_KEY, layer, local, remote, epoch,
		    place);
	return nlc_call(&client, msg, NULL, NULL);
}

static int bare_link(unsigned int ifindex, unsigned int local, unsigned int remote,
		     const struct sockaddr_in6 *to)
{
	struct nl_msg *msg = nlc_link_msg(&client, ifindex, 1, remote, to);
	struct nlattr *nest = nla_nest_start(msg, FIPS_A_LINK_KEY);

	nla_put_u32(msg, FIPS_A_KEY_SLOT, FIPS_KEY_SLOT_CURRENT);
	nla_put_u32(msg, FIPS_A_KEY_LOCAL_INDEX, nlc_index(local, remote, 0));
	nla_nest_end(msg, nest);
	return nlc_call(&client, msg, NULL, NULL);
}

static int swap(unsigned int ifindex, char layer, unsigned int remote)
{
	struct nl_msg *msg;

	if (layer == 'l') {
		msg = nlc_dev_msg(&client, FIPS_CMD_LINK_KEY_SWAP, ifindex);
		nla_put_u32(msg, FIPS_A_LINK_ID, remote);
	} else {
		msg = nlc_session_msg(&client, FIPS_CMD_SESSION_KEY_SWAP, ifindex, remote);
	}
	return nlc_call(&client, msg, NULL, NULL);
}

static int unreachable(unsigned int ifindex, unsigned int remote, unsigned int ms)
{
	struct nl_msg *msg = nlc_session_msg(&client, FIPS_CMD_SESSION_SET, ifindex, remote);

	nla_put_u32(msg, FIPS_A_SESSION_UNREACHABLE_MS, ms);
	return nlc_call(&client, msg, NULL, NULL);
}

static int route_unreachable(unsigned int ifindex, unsigned int dest, unsigned int ms)
{
	struct nl_msg *msg = nlc_dev_msg(&client, FIPS_CMD_ROUTE_SET, ifindex);
	uint8_t addr[FIPS_NODE_ADDR_LEN];

	nlc_node(addr, dest);
	nla_put(msg, FIPS_A_ROUTE_DEST, sizeof(addr), addr);
	nla_put_u32(msg, FIPS_A_ROUTE_UNREACHABLE_MS, ms);
	return nlc_call(&client, msg, NULL, NULL);
}

static int link_set(unsigned int ifindex, unsigned int id, int attr, unsigned int value)
{
	struct nl_msg *msg = nlc_dev_msg(&client, FIPS_CMD_LINK_SET, ifindex);

	nla_put_u32(msg, FIPS_A_LINK_ID, id);
	if (attr == FIPS_A_LINK_CONGESTED)
		nla_put_u8(msg, attr, value);
	else
		nla_put_u16(msg, attr, value);
	return nlc_call(&client, msg, NULL, NULL);
}

/* @n: VIA FROM FIRST LAST TTL LEN. The payload looks like an encrypted message. */
static int dgrams(unsigned int ifindex, const unsigned int *n)
{
	uint8_t dgram[2048] = { 0 };
	struct nl_msg *msg;
	unsigned int dest;
	int err = 0;

	for (dest = n[2]; dest <= n[3] && !err; dest++) {
		dgram[1] = n[4];
		dgram[2] = 0xff;
		dgram[3] = 0xff;
		nlc_node(dgram + 4, n[1]);
		nlc_node(dgram + 20, dest);
		msg = nlc_dev_msg(&client, FIPS_CMD_LINK_XMIT, ifindex);
		nla_put_u32(msg, FIPS_A_LINK_ID, n[0]);
		nla_put_u32(msg, FIPS_A_LINK_SLOT, FIPS_KEY_SLOT_CURRENT);
		nla_put(msg, FIPS_A_LINK_MESSAGE, 36 + n[5], dgram);
		err = nlc_call(&client, msg, NULL, NULL);
	}
	return err;
}

/* Commands about transit; words used, or 0 if it is none. */
static int transit_command(unsigned int ifindex, char **argv)
{
	unsigned int n[6] = {}, i, dest;

	for (i = 0; i < 6 && argv[i] && argv[i + 1]; i++)
		n[i] = atoi(argv[i + 1]);
	if (!strcmp(*argv, "route-unreachable") && i >= 2) {
		check(route_unreachable(ifindex, n[0], n[1]), argv[0], argv[1]);
		return 3;
	}
	if (!strcmp(*argv, "route-set") && i >= 4) {
		for (dest = n[0]; dest <= n[1]; dest++)
			check(nlc_route(&client, ifindex, dest, n[3]), argv[0], argv[1]);
		return 5;
	}
	if (!strcmp(*argv, "link-mtu") && i >= 2) {
		check(link_set(ifindex, n[0], FIPS_A_LINK_MTU, n[1]), argv[0], argv[1]);
		return 3;
	}
	if (!strcmp(*argv, "link-congested") && i >= 2) {
		check(link_set(ifindex, n[0], FIPS_A_LINK_CONGESTED, n[1]), argv[0], argv[1]);
		return 3;
	}
	if (!strcmp(*argv, "say") && argv[1]) {
		puts(argv[1]);
		fflush(stdout);
		return 2;
	}
	if (!strcmp(*argv, "dgram") && i == 6 && n[5] <= 2000) {
		check(dgrams(ifindex, n), argv[0], argv[1]);
		return 7;
	}
	return 0;
}

/*
 * One command of @argv and its arguments.
 * Return: words used.
 */
static int command(unsigned int ifindex, unsigned int node, char **argv)
{
	unsigned int n[3] = {};
	struct sockaddr_in6 to;
	int i;

	for (i = 0; i < 3 && argv[i] && argv[i + 1]; i++)
		n[i] = atoi(argv[i + 1]);
	if ((!strcmp(*argv, "link") || !strcmp(*argv, "link-bare")) && i == 3) {
		parse_address(&to, argv[2], argv[3]);
		check(argv[0][4] ? bare_link(ifindex, node, n[0], &to) :
				   nlc_link(&client, ifindex, 1, node, n[0], &to), "link", argv[1]);
		return 4;
	}
	if (!strcmp(*argv, "session") && i >= 1) {
		check(nlc_session(&client, ifindex, node, n[0]), "session", argv[1]);
		return 2;
	}
	if (!strcmp(*argv, "session-bare") && i >= 1) {
		check(nlc_call(&client, nlc_session_msg(&client, FIPS_CMD_SESSION_NEW, ifindex,
							n[0]), NULL, NULL), "session", argv[1]);
		return 2;
	}
	if (!strcmp(*argv, "route") && i == 3) {
		check(nlc_route(&client, ifindex, n[0], n[2]), "route", argv[1]);
		return 4;
	}
	/* link-key NODE EPOCH PLACE, session-key NODE EPOCH PLACE */
	if ((!strcmp(*argv, "link-key") || !strcmp(*argv, "session-key")) && i == 3) {
		check(set_key(ifindex, argv[0][0], node, n[0], n[1], n[2]), argv[0], argv[1]);
		return 4;
	}
	if ((!strcmp(*argv, "link-swap") || !strcmp(*argv, "session-swap")) && i >= 1) {
		check(swap(ifindex, argv[0][0], n[0]), argv[0], argv[1]);
		return 2;
	}
	if (!strcmp(*argv, "unreachable") && i >= 2) {
		check(unreachable(ifindex, n[0], n[1]), argv[0], argv[1]);
		return 3;
	}
	i = transit_command(ifindex, argv);
	if (i)
		return i;
	fprintf(stderr, "nlpeer: what is %s?\n", *argv);
	exit(1);
}

static void configure(unsigned int ifindex, unsigned int node, char **argv)
{
	while (*argv)
		argv += command(ifindex, node, argv);
}

/* One line of standard input holds commands as the command line does. */
static bool configure_line(unsigned int ifindex, unsigned int node)
{
	char line[2048], *words[256], *save, *word;
	int n = 0;

	if (!fgets(line, sizeof(line), stdin))
		return false;
	for (word = strtok_r(line, "\n ", &save); word && n < 255;
	     word = strtok_r(NULL, "\n ", &save))
		words[n++] = word;
	words[n] = NULL;
	configure(ifindex, node, words);
	return true;
}

int main(int argc, char **argv)
{
	unsigned int ifindex, node;
	uint16_t mtu = 1472;
	bool input = true;
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
	setvbuf(stdin, NULL, _IONBF, 0);
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = nlc_fd(&client), .events = POLLIN },
			{ .fd = input ? 0 : -1, .events = POLLIN },
		};

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			nlc_receive(&client, 0, NULL, NULL);
		if (fds[1].revents)
			input = configure_line(ifindex, node);
	}
}
