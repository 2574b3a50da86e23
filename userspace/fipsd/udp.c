// SPDX-License-Identifier: MIT
/*
 * UDP transports. A wildcard IPv6 bind is two sockets, IPv4 and v6-only, so
 * that one peer never has two spellings (spec 10 §2.3); each is a transport of
 * its own with the same instance name.
 *
 * Neither SO_REUSEADDR nor SO_REUSEPORT: on UDP both let another process of
 * the user take part in our port.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "resolver.h"
#include "udp.h"

#define BATCH		32
#define DATAGRAM_MAX	2048	/* what is left for us is shorter; longer ones are cut and fail */
#define DEFAULT_BIND	"0.0.0.0:2121"
#define OUTBOUND_BIND	"0.0.0.0:0"
#define BIND_RETRIES	10
#define BIND_RETRY_MS	20

const char *fipsd_transport_state_name(enum fipsd_transport_state state)
{
	static const char *const names[] = {
		[FIPSD_TRANSPORT_CONFIGURED] = "configured",
		[FIPSD_TRANSPORT_STARTING] = "starting",
		[FIPSD_TRANSPORT_UP] = "up",
		[FIPSD_TRANSPORT_DOWN] = "down",
		[FIPSD_TRANSPORT_FAILED] = "failed",
	};

	return names[state];
}

struct fipsd_udp *fipsd_udp_find(const struct fipsd_udps *set, u32 id)
{
	return id && id <= set->n ? &set->v[id - 1] : NULL;
}

/* ---- receive ---- */

/* Hole-punch leftovers count as received and go no further (spec 10 §2.1). */
static bool is_punch(const u8 *p, size_t len)
{
	return len >= 4 && (!memcmp(p, "NPTC", 4) || !memcmp(p, "NPTA", 4));
}

static void udp_deliver(struct fipsd_udp *udp, const struct sockaddr *from, const u8 *data,
			size_t len)
{
	struct fips_event ev = { .type = FIPS_EV_RAW };

	udp->stats.packets_recv++;
	udp->stats.bytes_recv += len;
	if (is_punch(data, len) || fips_classify(data, len) != FIPS_FRAME_HANDSHAKE)
		return;
	if (!fipsd_taddr_from_sockaddr(&ev.raw.from, from))
		return;
	ev.raw.transport_id = udp->info.id;
	ev.raw.data = data;
	ev.raw.len = len;
	udp->set->event(udp->set->ctx, &ev);
}

static void read_drops(struct fipsd_udp *udp, struct msghdr *msg)
{
	struct cmsghdr *c;
	u32 drops;

	for (c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			/* u32 in the kernel: carry its wraps */
			udp->stats.kernel_drops += (u32)(drops - (u32)udp->stats.kernel_drops);
		}
}

struct batch {
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_storage from[BATCH];
	union {
		char buf[CMSG_SPACE(sizeof(u32))];
		struct cmsghdr align;
	} control[BATCH];
	u8 data[BATCH][DATAGRAM_MAX];
};

static void batch_init(struct batch *b)
{
	size_t i;

	memset(b->msg, 0, sizeof(b->msg));
	for (i = 0; i < BATCH; i++) {
		b->iov[i] = (struct iovec){ b->data[i], DATAGRAM_MAX };
		b->msg[i].msg_hdr.msg_name = &b->from[i];
		b->msg[i].msg_hdr.msg_namelen = sizeof(b->from[i]);
		b->msg[i].msg_hdr.msg_iov = &b->iov[i];
		b->msg[i].msg_hdr.msg_iovlen = 1;
		b->msg[i].msg_hdr.msg_control = &b->control[i];
		b->msg[i].msg_hdr.msg_controllen = sizeof(b->control[i]);
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct fipsd_udp *udp = poll->data;
	struct batch b;
	int i, n;

	(void)events;
	if (status < 0) {
		udp->stats.recv_errors++;
		return;
	}
	/* One batch a turn: timers and control clients get theirs. */
	batch_init(&b);
	n = recvmmsg(udp->fd, b.msg, BATCH, MSG_DONTWAIT, NULL);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			udp->stats.recv_errors++;
		return;
	}
	read_drops(udp, &b.msg[n ? n - 1 : 0].msg_hdr);
	for (i = 0; i < n; i++)
		if (!(b.msg[i].msg_hdr.msg_flags & MSG_TRUNC))
			udp_deliver(udp, (struct sockaddr *)&b.from[i], b.data[i],
				    b.msg[i].msg_len);
}

/* ---- send ---- */

int fipsd_udp_send(struct fipsd_udps *set, u32 id, const struct fips_taddr *to, const void *data,
		   size_t len)
{
	struct fipsd_udp *udp = fipsd_udp_find(set, id);
	struct sockaddr_storage ss;
	socklen_t ss_len;

	if (!udp || udp->fd < 0)
		return -ENODEV;
	if (len > udp->info.mtu) {
		udp->stats.mtu_exceeded++;
		return -EMSGSIZE;
	}
	if (to->kind != udp->info.family)
		return -EAFNOSUPPORT;
	ss_len = fipsd_taddr_to_sockaddr(to, &ss);
	if (sendto(udp->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&ss,
		   ss_len) < 0) {
		udp->stats.send_errors++;
		return -errno;
	}
	udp->stats.packets_sent++;
	udp->stats.bytes_sent += len;
	return 0;
}

/* ---- start ---- */

static void set_buffer(struct fipsd_udps *set, int fd, int option, u64 want, const char *what)
{
	int value = want > INT32_MAX / 2 ? INT32_MAX / 2 : (int)want, got = 0;
	int force = option == SO_RCVBUF ? SO_RCVBUFFORCE : SO_SNDBUFFORCE;
	socklen_t len = sizeof(got);

	if (setsockopt(fd, SOL_SOCKET, force, &value, sizeof(value)))
		setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value));
	getsockopt(fd, SOL_SOCKET, option, &got, &len);
	/* Linux reports twice of what it granted. */
	if (got / 2 < value)
		fipsd_log(set->log, FIPS_LOG_WARN,
			  "UDP %s buffer clamped by the kernel to %d bytes of %d (net.core.%s)",
			  what, got / 2, value, option == SO_RCVBUF ? "rmem_max" : "wmem_max");
}

static int udp_socket_once(const struct fips_taddr *bind_to)
{
	struct sockaddr_storage ss;
	socklen_t len = fipsd_taddr_to_sockaddr(bind_to, &ss);
	int fd, one = 1, ret;

	if (!len)
		return -EAFNOSUPPORT;
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (ss.ss_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)))
		goto fail;
	if (bind(fd, (struct sockaddr *)&ss, len))
		goto fail;
	return fd;
fail:
	ret = -errno;
	close(fd);
	return ret;
}

/*
 * A socket that the kernel data plane has just let go may take a moment to
 * leave its port.
 */
static int udp_socket(const struct fips_taddr *bind_to)
{
	struct timespec ts = { .tv_nsec = BIND_RETRY_MS * 1000000L };
	int fd, tries;

	for (tries = 0; tries < BIND_RETRIES; tries++) {
		fd = udp_socket_once(bind_to);
		if (fd != -EADDRINUSE)
			break;
		nanosleep(&ts, NULL);
	}
	return fd;
}

static int udp_local(int fd, struct fips_taddr *local)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &len))
		return -errno;
	return fipsd_taddr_from_sockaddr(local, (struct sockaddr *)&ss) ? 0 : -EAFNOSUPPORT;
}

static int udp_poll_start(struct fipsd_udp *udp)
{
	int ret;

	if (udp->set->prov->owns_receive)
		return 0;
	udp->poll = malloc(sizeof(*udp->poll));
	if (!udp->poll)
		return -ENOMEM;
	ret = uv_poll_init(udp->set->loop, udp->poll, udp->fd);
	if (ret) {
		free(udp->poll);
		udp->poll = NULL;
		return ret;
	}
	udp->poll->data = udp;
	return uv_poll_start(udp->poll, UV_READABLE, on_readable);
}

static void on_poll_closed(uv_handle_t *handle)
{
	free(handle);
}

static void udp_close(struct fipsd_udp *udp)
{
	if (udp->poll) {
		uv_poll_stop(udp->poll);
		uv_close((uv_handle_t *)udp->poll, on_poll_closed);
		udp->poll = NULL;
	}
	if (udp->fd >= 0)
		close(udp->fd);
	udp->fd = -1;
}

/* A socket of the last run: the data plane never let go of it. */
static int udp_resume(struct fipsd_udp *udp)
{
	int ret = udp_local(udp->fd, &udp->info.local);

	return ret ? ret : udp_poll_start(udp);
}

static int udp_open(struct fipsd_udp *udp, const struct fips_cfg_udp *cfg,
		    const struct fips_taddr *bind_to)
{
	struct fipsd_udps *set = udp->set;
	int one = 1, ret;

	udp->state = FIPSD_TRANSPORT_STARTING;
	udp->info.local = *bind_to;
	if (set->prov->transport_take) {
		udp->fd = set->prov->transport_take(set->dp, &udp->info);
		if (udp->fd >= 0)
			return udp_resume(udp);
	}
	udp->fd = udp_socket(bind_to);
	if (udp->fd < 0)
		return udp->fd;
	set_buffer(set, udp->fd, SO_RCVBUF, cfg->recv_buf_size, "receive");
	set_buffer(set, udp->fd, SO_SNDBUF, cfg->send_buf_size, "send");
	setsockopt(udp->fd, SOL_SOCKET, SO_RXQ_OVFL, &one, sizeof(one));
	ret = udp_local(udp->fd, &udp->info.local);
	if (!ret)
		ret = set->prov->transport_add(set->dp, &udp->info, udp->fd);
	if (ret)
		return ret;
	ret = udp_poll_start(udp);
	if (ret)
		set->prov->transport_del(set->dp, udp->info.id);
	return ret;
}

static void udp_start(struct fipsd_udps *set, const struct fips_cfg_udp *cfg,
		      const struct fips_taddr *bind_to, bool optional)
{
	struct fipsd_udp *udp = &set->v[set->n];
	struct fips_event ev = { .type = FIPS_EV_TRANSPORT_UP };
	char text[FIPS_TADDR_TEXT_MAX];
	int ret;

	memset(udp, 0, sizeof(*udp));
	udp->set = set;
	udp->info.id = (u32)set->n + 1;
	udp->info.kind = FIPS_TRANSPORT_UDP;
	snprintf(udp->info.name, sizeof(udp->info.name), "%s", cfg->e.name ? cfg->e.name : "");
	udp->info.family = bind_to->kind;
	udp->info.mtu = cfg->mtu;
	udp->info.accept = cfg->accept_connections && !cfg->outbound_only;
	ret = udp_open(udp, cfg, bind_to);
	fips_taddr_format(ret ? bind_to : &udp->info.local, text);
	if (ret) {
		udp_close(udp);
		if (optional)
			return;
		udp->state = FIPSD_TRANSPORT_FAILED;
		set->n++;
		set->failed++;
		fipsd_log(set->log, FIPS_LOG_WARN, "UDP transport%s%s failed to start on %s: %s",
			  *udp->info.name ? " " : "", udp->info.name, text, strerror(-ret));
		return;
	}
	set->n++;
	udp->state = FIPSD_TRANSPORT_UP;
	fipsd_log(set->log, FIPS_LOG_INFO, "UDP transport %u%s%s is up on %s, MTU %u",
		  udp->info.id, *udp->info.name ? " " : "", udp->info.name, text, udp->info.mtu);
	ev.transport = udp->info;
	set->event(set->ctx, &ev);
}

static bool taddr_is_any(const struct fips_taddr *a)
{
	static const u8 any[16];

	return !memcmp(a->addr, any, sizeof(any));
}

static int bind_of(const struct fips_cfg_udp *cfg, struct fips_taddr *out)
{
	const char *text = cfg->outbound_only ? OUTBOUND_BIND :
			   cfg->bind_addr ? cfg->bind_addr : DEFAULT_BIND;

	return fips_taddr_parse(out, text);
}

/* Does an instance of its own bind IPv4 on this port? Then [::] leaves it alone. */
static bool ipv4_taken(const struct fips_config *cfg, u16 port)
{
	struct fips_taddr a;
	size_t i;

	for (i = 0; i < cfg->udp.n; i++)
		if (!bind_of(fips_cfg_udp(cfg, i), &a) && a.kind == FIPS_TADDR_IPV4 &&
		    a.port == port)
			return true;
	return false;
}

static void instance_start(struct fipsd_udps *set, const struct fips_config *cfg,
			   const struct fips_cfg_udp *udp)
{
	struct fips_taddr a;

	if (bind_of(udp, &a))
		return;		/* the check refused it */
	udp_start(set, udp, &a, false);
	if (a.kind != FIPS_TADDR_IPV6 || !taddr_is_any(&a) || ipv4_taken(cfg, a.port))
		return;
	if (!a.port && set->v[set->n - 1].state == FIPSD_TRANSPORT_UP)
		a.port = set->v[set->n - 1].info.local.port;
	a.kind = FIPS_TADDR_IPV4;
	udp_start(set, udp, &a, true);
}

int fipsd_udps_start(struct fipsd_udps *set, const struct fips_config *cfg)
{
	size_t i;
	int up = 0;

	set->v = calloc(2 * cfg->udp.n + 1, sizeof(*set->v));
	if (!set->v)
		return -ENOMEM;
	for (i = 0; i < cfg->udp.n; i++)
		instance_start(set, cfg, fips_cfg_udp(cfg, i));
	for (i = 0; i < set->n; i++)
		up += set->v[i].state == FIPSD_TRANSPORT_UP;
	return up;
}

void fipsd_udps_dump(const struct fipsd_udps *set)
{
	char text[FIPS_TADDR_TEXT_MAX];
	size_t i;

	for (i = 0; i < set->n; i++) {
		const struct fipsd_udp *udp = &set->v[i];
		const struct fipsd_udp_stats *s = &udp->stats;

		fipsd_log(set->log, FIPS_LOG_INFO,
			  "dump: UDP %u %s on %s: handshakes out %llu, in %llu, errors %llu, %llu",
			  udp->info.id, fipsd_transport_state_name(udp->state),
			  fips_taddr_format(&udp->info.local, text),
			  (unsigned long long)s->packets_sent, (unsigned long long)s->packets_recv,
			  (unsigned long long)s->send_errors, (unsigned long long)s->recv_errors);
	}
}

void fipsd_udps_stop(struct fipsd_udps *set)
{
	size_t i = set->n;

	while (i-- > 0) {
		struct fipsd_udp *udp = &set->v[i];

		if (udp->state == FIPSD_TRANSPORT_UP)
			set->prov->transport_del(set->dp, udp->info.id);
		udp_close(udp);
	}
	free(set->v);
	set->v = NULL;
	set->n = 0;
}
