// SPDX-License-Identifier: MIT
/*
 * Fuzz the "fips" netlink family while traffic flows: every command, attributes
 * made from the policies as the kernel itself tells them, valid and nearly so.
 *
 *   nlfuzz SECONDS SEED FAR CHECK
 *
 * Runs in a namespace with a device "fips0" and a cable "u0" (10.77.0.1); FAR is
 * a namespace with the other end (10.77.0.2) and a "fips0", too. Several threads
 * send, as owner of the device and as strangers; one makes and deletes another
 * device. Now and then owner, keys and routes are made anew, so that there is
 * something to hit and traffic goes on. In the end all is made anew once more,
 * and the shell command CHECK must succeed.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "nlpolicy.h"

#define THREADS		4	/* the last one is a stranger */
#define ROUND_US	200000
/* So many messages, and every command must have been right once; a slow kernel takes fewer. */
#define ENOUGH		50000
#define MSG_MAX		66000
/* Descriptors with fixed numbers; the kernel hands out others, which round() closes. */
#define SPARE_FD	10	/* and three more: sockets to lend */
#define OWNER_FD	20
#define LENT_FD		21
#define FAR_LENT_FD	22
#define STRANGER_FD	23
#define FIXED_FDS	64

struct fuzz {
	pthread_t thread;
	int fd;
	unsigned int cmd;
	bool careful;		/* this message is meant to be right */
	uint64_t rng;
	uint32_t len;
	uint8_t b[MSG_MAX + 64];
};

static struct fuzz fuzzers[THREADS];
static struct nlc owner, far, stranger;
static unsigned int ifindex, far_ifindex, epoch;
static int family;
static int here_ns, far_ns;
static atomic_uint other_ifindex;
static atomic_bool stop;
static atomic_ulong sent, accepted[COMMANDS], refused, failed_rounds;
static pthread_rwlock_t quiet;	/* read: a message is on its way; write: all is made anew */

static uint64_t draw(struct fuzz *f, uint64_t n)
{
	f->rng ^= f->rng << 13;
	f->rng ^= f->rng >> 7;
	f->rng ^= f->rng << 17;
	return n ? (f->rng >> 8) % n : 0;
}

/* --- messages --- */

static void put(struct fuzz *f, unsigned int type, const void *data, uint32_t len)
{
	struct nlattr *a = (struct nlattr *)(f->b + f->len);

	if (f->len + NLA_HDRLEN + len > MSG_MAX)
		return;
	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	memcpy(a + 1, data, len);
	f->len += NLA_ALIGN(NLA_HDRLEN + len);
}

/* Mostly what may be right: the smallest ones that are, or within bounds. */
static uint64_t number(struct fuzz *f, const struct rule *r)
{
	uint64_t span = r->max - r->min;

	switch (f->careful ? 9 : draw(f, 10)) {
	case 0:
		return r->min;
	case 1:
		return r->max;
	case 2:
		return draw(f, 2) ? r->min - 1 : r->max + 1;
	case 3:
		return f->rng;
	case 4:
		return r->min + draw(f, span < 2000 ? span + 1 : 2000);
	default:
		return r->min + draw(f, span < 3 ? span + 1 : 4);
	}
}

static void put_number(struct fuzz *f, unsigned int type, const struct rule *r, uint32_t size)
{
	uint64_t v = number(f, r);

	put(f, type, &v, size);		/* a little-endian guest */
}

static unsigned int some_ifindex(struct fuzz *f)
{
	switch (draw(f, 12)) {
	case 0:
		return draw(f, 6);
	case 1:
	case 2:
	case 3:
		return other_ifindex;
	default:
		return ifindex;
	}
}

/* A datagram of the mesh, or the beginning of one. */
static void datagram(struct fuzz *f, uint8_t *b)
{
	b[0] = 0;
	b[1] = draw(f, 70);
	b[2] = 0xff;
	b[3] = 0xff;
	nlc_node(b + 4, 1 + draw(f, 4));
	nlc_node(b + 20, 1 + draw(f, 4));
	b[36] = draw(f, 4);
	b[37] = draw(f, 8);
}

static bool of_link(const struct fuzz *f)
{
	return f->cmd == FIPS_CMD_LINK_NEW || f->cmd == FIPS_CMD_LINK_SET;
}

/* Of the attributes with 16 bytes this one is an IPv6 address. */
static bool is_ipv6(const struct fuzz *f, unsigned int type)
{
	return of_link(f) ? type == FIPS_A_LINK_REMOTE_IPV6 : type == FIPS_A_SESSION_IPV6;
}

static void put_bytes(struct fuzz *f, unsigned int type, const struct rule *r)
{
	uint32_t len = r->max_len, i;
	struct in6_addr ipv6;
	uint8_t b[4096];

	if (!len || len > sizeof(b))
		len = draw(f, 16) ? 300 : sizeof(b);
	if (r->min_len != r->max_len || !r->max_len)
		len = draw(f, len + 1);
	for (i = 0; i < len; i++)
		b[i] = draw(f, 256);
	if (len == FIPS_NODE_ADDR_LEN) {
		/* what there is, most of the time */
		nlc_node(b, draw(f, 2) ? 2 : 1 + draw(f, 5));
		inet_pton(AF_INET6, draw(f, 3) ? "::ffff:10.77.0.2" : "::1", &ipv6);
		if (is_ipv6(f, type) || !draw(f, 16))
			memcpy(b, &ipv6, sizeof(ipv6));
	} else if (len > 40 && draw(f, 2)) {
		datagram(f, b);
	}
	put(f, type, b, len);
}

/* Of a port and an address the kernel tells nothing. */
static void put_untold(struct fuzz *f, unsigned int type)
{
	uint16_t port = htons(2121);
	uint32_t ipv4 = htonl(0x0a4d0001 + draw(f, 3));

	if (draw(f, 16) ? type == FIPS_A_LINK_REMOTE_PORT : type != FIPS_A_LINK_REMOTE_PORT)
		put(f, type, &port, sizeof(port));
	else
		put(f, type, &ipv4, sizeof(ipv4));
}

static void put_policy(struct fuzz *f, unsigned int policy, int depth);

static void put_nest(struct fuzz *f, unsigned int type, unsigned int policy, int depth)
{
	uint32_t at = f->len;

	put(f, type | (draw(f, 8) ? NLA_F_NESTED : 0), "", 0);
	put_policy(f, policy, depth);
	((struct nlattr *)(f->b + at))->nla_len = f->len - at;
}

static void put_rule(struct fuzz *f, unsigned int type, const struct rule *r, int depth)
{
	switch (r->type) {
	case NL_ATTR_TYPE_FLAG:
		put(f, type, "", 0);
		break;
	case NL_ATTR_TYPE_U8:
		put_number(f, type, r, 1);
		break;
	case NL_ATTR_TYPE_U16:
		put_number(f, type, r, 2);
		break;
	case NL_ATTR_TYPE_U32:
		put_number(f, type, r, 4);
		break;
	case NL_ATTR_TYPE_U64:
		put_number(f, type, r, 8);
		break;
	case NL_ATTR_TYPE_BINARY:
		put_bytes(f, type, r);
		break;
	case NL_ATTR_TYPE_NESTED:
		if (depth < 4)
			put_nest(f, type, r->nested, depth + 1);
		break;
	default:
		put_untold(f, type);
	}
}

/* What makes a message wrong, whatever else is in it: read-only, or of another kind of object. */
static bool never_right(const struct fuzz *f, unsigned int type, int depth)
{
	if (depth && f->cmd >= FIPS_CMD_SESSION_NEW &&
	    (type == FIPS_A_KEY_LOCAL_INDEX || type == FIPS_A_KEY_REMOTE_INDEX))
		return true;
	if (depth)
		return type == FIPS_A_KEY_TX_COUNTER || type == FIPS_A_KEY_RX_HIGHEST ||
		       type == FIPS_A_KEY_HAS_KEY;
	if (f->cmd == FIPS_CMD_TRANSPORT_NEW)
		return type == FIPS_A_TRANSPORT_LOWER_IFINDEX;
	if (f->cmd == FIPS_CMD_SESSION_XMIT)
		return type == FIPS_A_SESSION_WITH_COORDS;
	return of_link(f) && (type == FIPS_A_LINK_REMOTE_SCOPE || type == FIPS_A_LINK_REMOTE_MAC ||
			      type == FIPS_A_LINK_REMOTE_IPV4);
}

/* What most commands can't do without. */
static bool needed(const struct fuzz *f, unsigned int type, int depth)
{
	switch (f->cmd) {
	case FIPS_CMD_LINK_NEW:
	case FIPS_CMD_LINK_SET:
		return depth ? type <= FIPS_A_KEY_K_BIT :
			       type <= FIPS_A_LINK_REMOTE_IPV6 || type == FIPS_A_LINK_REMOTE_PORT;
	case FIPS_CMD_SESSION_NEW:
	case FIPS_CMD_SESSION_SET:
		return depth ? type <= FIPS_A_KEY_K_BIT : type <= FIPS_A_SESSION_REMOTE;
	case FIPS_CMD_ROUTE_SET:
		return type <= FIPS_A_ROUTE_LINK_ID;
	case FIPS_CMD_DEV_SET:
	case FIPS_CMD_DEV_OWN:
		return false;
	default:
		return !depth || type <= FIPS_A_KEY_K_BIT;
	}
}

static bool left_out(struct fuzz *f, unsigned int type, const struct rule *r, int depth,
		     unsigned int density)
{
	/* No attribute of this command, or one that the kernel tells nothing about. */
	if (!r->known && !(of_link(f) && (type == FIPS_A_LINK_REMOTE_IPV4 ||
					  type == FIPS_A_LINK_REMOTE_PORT)))
		return f->careful || draw(f, 16);
	if (f->careful && never_right(f, type, depth))
		return true;
	if (f->careful && needed(f, type, depth))
		return false;
	return draw(f, 8) >= density;
}

/* Some of a policy's attributes, now and then in another order, twice, or none. */
static void put_policy(struct fuzz *f, unsigned int policy, int depth)
{
	unsigned int n = n_attrs[policy], i, k, density = 1 + draw(f, f->careful ? 3 : 8);
	bool shuffle = !f->careful && !draw(f, 4);

	for (k = depth ? 1 : 2; k < n; k++) {
		i = shuffle ? 1 + draw(f, n - 1) : k;
		if (!left_out(f, i, &policies[policy][i], depth, density))
			put_rule(f, i, &policies[policy][i], depth);
	}
}

/* Ends of things, seldom: they would leave nothing to hit. */
static bool ends_something(unsigned int cmd)
{
	switch (cmd) {
	case FIPS_CMD_DEV_OWN:
	case FIPS_CMD_TRANSPORT_DEL:
	case FIPS_CMD_LINK_DEL:
	case FIPS_CMD_LINK_KEY_DEL:
	case FIPS_CMD_SESSION_DEL:
	case FIPS_CMD_SESSION_KEY_DEL:
	case FIPS_CMD_ROUTE_FLUSH:
		return true;
	default:
		return false;
	}
}

static unsigned int some_command(struct fuzz *f)
{
	unsigned int cmd;

	do
		cmd = draw(f, FIPS_CMD_MAX + 3);
	while (draw(f, 8) && (ends_something(cmd) || cmd >= COMMANDS || command_policy[cmd] < 0));
	return cmd;
}

/* A descriptor that may be lent. */
static void put_fd(struct fuzz *f)
{
	uint32_t fd = SPARE_FD + draw(f, 4);

	put(f, FIPS_A_TRANSPORT_FD, &fd, sizeof(fd));
}

static void make(struct fuzz *f)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)f->b;
	struct genlmsghdr *genl = NLMSG_DATA(nlh);
	unsigned int cmd = some_command(f), from;
	uint32_t index = some_ifindex(f);

	f->cmd = cmd;
	f->careful = draw(f, 2);
	from = f->careful || draw(f, 10) ? cmd : some_command(f);

	memset(f->b, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	if (!draw(f, f->careful ? 30 : 8))
		nlh->nlmsg_flags |= NLM_F_DUMP;
	nlh->nlmsg_seq = 1 << 8 | cmd;
	genl->cmd = cmd;
	genl->version = FIPS_FAMILY_VERSION;
	f->len = NLMSG_HDRLEN + GENL_HDRLEN;
	if (draw(f, 40))
		put(f, FIPS_A_DEV_IFINDEX, &index, sizeof(index));
	if (from < COMMANDS && command_policy[from] >= 0)
		put_policy(f, command_policy[from], 0);
	if (cmd == FIPS_CMD_TRANSPORT_NEW && draw(f, 4))
		put_fd(f);
	nlh->nlmsg_len = f->len;
}

/* Some attribute of the message, perhaps one within another; NULL: it has none. */
static struct nlattr *some_attr(struct fuzz *f)
{
	uint8_t *p = f->b + NLMSG_HDRLEN + GENL_HDRLEN;
	int left = f->len - (p - f->b), n = draw(f, 12);
	struct nlattr *a = (struct nlattr *)p, *found = NULL;

	for (; nla_ok(a, left) && n >= 0; a = nla_next(a, &left), n--)
		found = a;
	return found;
}

/* What no sane client sends. */
static void spoil(struct fuzz *f)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)f->b;
	struct nlattr *a = some_attr(f);
	uint32_t i, len;

	if (!a)
		return;
	switch (draw(f, 8)) {
	case 0:
		a->nla_len += 1 - 2 * draw(f, 2);
		break;
	case 1:
		a->nla_len = draw(f, 70000);
		break;
	case 2:
		a->nla_type ^= draw(f, 2) ? NLA_F_NESTED : NLA_F_NET_BYTEORDER;
		break;
	case 3:
		a->nla_type = draw(f, 64);
		break;
	case 4:		/* twice */
		len = a->nla_len - NLA_HDRLEN;
		if (len < sizeof(f->b) - f->len - NLA_HDRLEN)
			put(f, a->nla_type, a + 1, len);
		nlh->nlmsg_len = f->len;
		break;
	case 5:		/* cut: the header tells the truth, or it lies */
		f->len = NLMSG_HDRLEN + draw(f, f->len - NLMSG_HDRLEN);
		if (draw(f, 2))
			nlh->nlmsg_len = f->len;
		break;
	case 6:		/* around what is there, many times */
		for (i = draw(f, 20); i && f->len < 4000; i--) {
			len = f->len - NLMSG_HDRLEN - GENL_HDRLEN;
			memmove(f->b + 24, f->b + 20, len);
			a = (struct nlattr *)(f->b + 20);
			a->nla_type = NLA_F_NESTED | draw(f, 30);
			a->nla_len = len + NLA_HDRLEN;
			f->len += NLA_HDRLEN;
		}
		nlh->nlmsg_len = f->len;
		break;
	default:
		for (i = 1 + draw(f, 4); i; i--)
			f->b[NLMSG_HDRLEN + draw(f, f->len - NLMSG_HDRLEN)] = draw(f, 256);
	}
}

static void hear(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *err = NLMSG_DATA(nlh);

	if (nlh->nlmsg_seq >> 8 != 1)
		return;
	if (nlh->nlmsg_type != NLMSG_ERROR || !err->error)
		accepted[nlh->nlmsg_seq & 0xff]++;
	else
		refused++;
}

static void drain(int fd)
{
	static _Thread_local uint8_t buf[1 << 16];
	struct nlmsghdr *nlh;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0 || (n < 0 && errno == ENOBUFS))
		for (nlh = (struct nlmsghdr *)buf; n > 0 && NLMSG_OK(nlh, n);
		     nlh = NLMSG_NEXT(nlh, n))
			hear(nlh);
}

static void *fuzz(void *arg)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct fuzz *f = arg;

	while (!stop) {
		make(f);
		if (!draw(f, f->careful ? 20 : 2))
			spoil(f);
		pthread_rwlock_rdlock(&quiet);
		sendto(f->fd, f->b, f->len, 0, (struct sockaddr *)&kernel, sizeof(kernel));
		drain(f->fd);
		pthread_rwlock_unlock(&quiet);
		sent++;
	}
	return NULL;
}

/* A program holds the sockets that are open when it starts: not while they are replaced. */
static void shell(const char *command)
{
	pthread_rwlock_rdlock(&quiet);
	if (system(command))
		failed_rounds++;
	pthread_rwlock_unlock(&quiet);
}

/* Another device, there and gone while its index is in use. */
static void *devices(void *arg)
{
	(void)arg;
	while (!stop) {
		shell("ip link add fips1 type fips && ip link set fips1 up");
		other_ifindex = if_nametoindex("fips1");
		usleep(300000);
		shell("ip link del fips1");
	}
	return NULL;
}

/* --- what is there to hit --- */

static int fixed_fd(int fd, int want)
{
	if (dup2(fd, want) != want)
		nlc_die("dup2");
	close(fd);
	return want;
}

/* Device, socket, link, session and route with new keys at one end. */
static int install(struct nlc *c, unsigned int index, int fd, unsigned int local,
		   unsigned int remote, const char *address)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(2121) };
	struct nl_msg *msg;
	int err;

	inet_pton(AF_INET6, address, &to.sin6_addr);
	err = nlc_own(c, index, false) ?: nlc_dev_node(c, index, local) ?:
	      nlc_dev_mtu(c, index, 1472) ?: nlc_linger(c, index, epoch & 1) ?:
	      nlc_transport(c, index, 1, fd, 1472);
	if (err)
		return err;
	msg = nlc_link_msg(c, index, 1, remote, &to);
	nlc_put_key(msg, FIPS_A_LINK_KEY, 'l', local, remote, epoch & 0xff, FIPS_KEY_SLOT_CURRENT);
	err = nlc_call(c, msg, NULL, NULL);
	if (err)
		return err;
	msg = nlc_session_msg(c, FIPS_CMD_SESSION_NEW, index, remote);
	nlc_put_key(msg, FIPS_A_SESSION_KEY, 's', local, remote, epoch, FIPS_KEY_SLOT_CURRENT);
	return nlc_call(c, msg, NULL, NULL) ?: nlc_route(c, index, remote, remote);
}

/* A socket dies while threads speak through it, and another one comes. */
static void replace(struct nlc *c, int fd)
{
	nlc_close(c);
	nlc_open(c);
	if (dup2(nlc_fd(c), fd) != fd)
		nlc_die("dup2");
}

static void in_namespace(int ns)
{
	if (setns(ns, CLONE_NEWNET))
		nlc_die("setns");
}

/* New sockets all around: what an owner left goes when another one owns the device. */
static void replace_all(void)
{
	drain(OWNER_FD);
	replace(&owner, OWNER_FD);
	/* It may have taken the place of an owner that died. */
	replace(&stranger, STRANGER_FD);
	in_namespace(far_ns);
	nlc_close(&far);
	nlc_open(&far);
	in_namespace(here_ns);
}

static void check_round(const char *end, int err, const struct nlc *c)
{
	if (!err)
		return;
	printf("round %u, %s end: %s: %s\n", epoch, end, strerror(-err), c->extack);
	failed_rounds++;
}

static void renew(void)
{
	epoch++;
	if (epoch % 4 == 0)
		replace(&owner, OWNER_FD);
	pthread_rwlock_wrlock(&quiet);
	replace_all();
	check_round("far", install(&far, far_ifindex, FAR_LENT_FD, 2, 1, "::ffff:10.77.0.1"), &far);
	check_round("near", install(&owner, ifindex, LENT_FD, 1, 2, "::ffff:10.77.0.2"), &owner);
	close_range(FIXED_FDS, ~0U, 0);
	pthread_rwlock_unlock(&quiet);
}

static void begin(const char *far_name)
{
	char path[128];
	int i;

	here_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/run/netns/%s", far_name);
	far_ns = open(path, O_RDONLY | O_CLOEXEC);
	in_namespace(far_ns);
	far_ifindex = if_nametoindex("fips0");
	nlc_open(&far);
	fixed_fd(nlc_udp(AF_INET6, 2121), FAR_LENT_FD);
	in_namespace(here_ns);
	ifindex = if_nametoindex("fips0");
	fixed_fd(nlc_udp(AF_INET6, 2121), LENT_FD);
	for (i = 0; i < 4; i++)
		fixed_fd(nlc_udp(i & 1 ? AF_INET : AF_INET6, 0), SPARE_FD + i);
	nlc_open(&owner);
	nlc_open(&stranger);
	if (dup2(nlc_fd(&owner), OWNER_FD) < 0 || dup2(nlc_fd(&stranger), STRANGER_FD) < 0)
		nlc_die("dup2");
}

static void start(uint64_t seed, pthread_t *other)
{
	pthread_rwlockattr_t attr;
	int i;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&quiet, &attr);
	renew();
	for (i = 0; i < THREADS; i++) {
		fuzzers[i].fd = i < THREADS - 1 ? OWNER_FD : STRANGER_FD;
		fuzzers[i].rng = (seed + i + 1) * 0x9e3779b97f4a7c15;
		pthread_create(&fuzzers[i].thread, NULL, fuzz, &fuzzers[i]);
	}
	pthread_create(other, NULL, devices, NULL);
}

/*
 * What happened, and whether every command was right at least once, but for the one that needs
 * another transport than UDP.
 */
static bool tell(void)
{
	bool all = true;
	int i;

	printf("%lu messages, %lu refused, %u rounds\n", sent, refused, epoch);
	for (i = 0; i < COMMANDS; i++) {
		if (command_policy[i] < 0)
			continue;
		printf("command %d: accepted %lu\n", i, accepted[i]);
		all = all && (accepted[i] || i == FIPS_CMD_TRANSPORT_XMIT);
	}
	return all || sent < ENOUGH;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	uint64_t took = 0;
	pthread_t other;
	time_t end;
	int i;

	if (argc != 5) {
		fprintf(stderr, "usage: nlfuzz SECONDS SEED FAR CHECK\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	family = ask_policies();
	begin(argv[3]);
	end = time(NULL) + atoi(argv[1]);
	start(strtoull(argv[2], NULL, 0), &other);
	while (time(NULL) < end) {
		/* Where all is slow most of the time is still the threads'. */
		usleep(took > ROUND_US / 4 ? 4 * took : ROUND_US);
		took = now_us();
		renew();
		took = now_us() - took;
	}
	stop = true;
	for (i = 0; i < THREADS; i++)
		pthread_join(fuzzers[i].thread, NULL);
	pthread_join(other, NULL);
	renew();
	if (!tell()) {
		printf("FAIL: a command was never accepted\n");
		return 1;
	}
	if (failed_rounds || system(argv[4])) {
		printf("FAIL: the device does not work as before\n");
		return 1;
	}
	return 0;
}
