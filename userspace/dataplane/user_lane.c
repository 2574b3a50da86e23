// SPDX-License-Identifier: MIT
/*
 * The two workers and what each gives the core to write to.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "node.h"
#include "user.h"

#define FIPS_TX_BUDGET		64
#define FIPS_TX_EAGER_BYTES	(32 << 10)
#define FIPS_TX_WAIT_MS		10
#define FIPS_TX_WAITS		50
#define FIPS_STACK_BYTES	(256 << 10)

static u8 *fips_outlet_room(void *ctx, const struct fips_endpoint *to, size_t len)
{
	struct fips_outlet *o = ctx;

	(void)to;
	return fips_batch_room(&o->batch, len);
}

static void fips_outlet_frame(void *ctx, const struct fips_endpoint *to, u8 *frame, size_t len)
{
	struct fips_outlet *o = ctx;

	fips_batch_frame(&o->batch, to, frame, len);
}

static void fips_outlet_packet(void *ctx, u8 *ip6, size_t len, bool stable)
{
	struct fips_outlet *o = ctx;

	if (o->merge && stable)
		fips_merge_add(o->merge, ip6, len);
	else
		fips_tun_write_one(o->u, ip6, len);
}

static void fips_outlet_event(void *ctx, const struct fips_event *ev)
{
	struct fips_outlet *o = ctx;

	fips_uevents_push(o->u, ev);
}

static const struct fips_core_out_ops fips_outlet_ops = {
	.room = fips_outlet_room,
	.frame = fips_outlet_frame,
	.packet = fips_outlet_packet,
	.event = fips_outlet_event,
};

static void fips_outlet_write(void *ctx, struct iovec *iov, int n, const struct fips_gso *gso,
			      bool verified)
{
	struct fips_outlet *o = ctx;

	fips_tun_write(o->u, iov, n, gso, verified);
}

void fips_outlet_init(struct fips_outlet *o, struct fips_user *u, enum fips_lane lane)
{
	o->u = u;
	o->batch.u = u;
	o->out.ops = &fips_outlet_ops;
	o->out.ctx = o;
	o->out.lane = lane;
	if (!o->merge)
		return;
	o->merge->write = fips_outlet_write;
	o->merge->ctx = o;
}

void fips_outlet_free(struct fips_outlet *o)
{
	free(o->batch.arena);
	free(o->merge);
}

void fips_outlet_flush(struct fips_outlet *o)
{
	if (o->merge)
		fips_merge_flush(o->merge);
	fips_batch_flush(&o->batch);
}

/* After a batch: has it left work for the loop's timer? */
static void fips_worker_tick(struct fips_user *u)
{
	if (!fips_core_wants_tick(u->core))
		return;
	atomic_store(&u->tick, true);
	uv_async_send(&u->handles->async);
}

/*
 * Send what worker tx has sealed. A full socket buffer holds the worker back, and
 * with it the device's queue and the senders behind it; the lock is not held
 * while it waits.
 */
static void fips_tx_send(struct fips_user *u)
{
	struct pollfd p[2] = { { .events = POLLOUT }, { .fd = u->stop_fd, .events = POLLIN } };
	int tries;

	for (tries = 0; tries < FIPS_TX_WAITS && !atomic_load(&u->stop); tries++) {
		p[0].fd = fips_batch_send(&u->tx.batch);
		if (p[0].fd < 0)
			return;
		pthread_rwlock_unlock(&u->lock);
		poll(p, 2, FIPS_TX_WAIT_MS);
		pthread_rwlock_rdlock(&u->lock);
	}
	fips_batch_flush(&u->tx.batch);
}

/* Packets that wait; false when the device is gone. */
static bool fips_tx_batch(struct fips_user *u, u8 *buf)
{
	u64 now = fips_user_now();
	struct fips_gso gso;
	ssize_t n = 0;
	int i;

	for (i = 0; i < FIPS_TX_BUDGET; i++) {
		n = fips_tun_read(u, buf, &gso);
		if (n < 0)
			break;
		if (!n)
			continue;
		fips_core_packet(u->core, &u->tx.out, now, &gso, buf + FIPS_TUN_HEADROOM,
				 (size_t)n);
		if (u->tx.batch.used >= FIPS_TX_EAGER_BYTES)
			break;
	}
	fips_tx_send(u);
	return n >= 0 || n == -EAGAIN || n == -EINTR;
}

static void *fips_tx_worker(void *arg)
{
	struct fips_user *u = arg;
	struct pollfd p[2] = {
		{ .fd = u->tun, .events = POLLIN },
		{ .fd = u->stop_fd, .events = POLLIN },
	};
	u8 *buf = malloc(FIPS_TUN_BUF);
	bool alive = !!buf;

	while (alive && !atomic_load(&u->stop)) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		if (!(p[0].revents & (POLLIN | POLLERR | POLLHUP)))
			continue;
		pthread_rwlock_rdlock(&u->lock);
		alive = fips_tx_batch(u, buf);
		pthread_rwlock_unlock(&u->lock);
		fips_worker_tick(u);
	}
	if (!alive)
		fips_user_log(u, FIPS_LOG_WARN, "interface %s is gone, nothing is sent any more",
			      u->name);
	free(buf);
	return NULL;
}

static void fips_rx_ready(struct fips_user *u, struct fips_rxbuf *b, u32 id)
{
	struct fips_utransport *t;

	pthread_rwlock_rdlock(&u->lock);
	t = id ? fips_utransport_find(u, id) : NULL;
	if (t)
		fips_udp_receive(u, b, t, fips_user_now());
	pthread_rwlock_unlock(&u->lock);
	fips_worker_tick(u);
}

static void *fips_rx_worker(void *arg)
{
	struct fips_user *u = arg;
	struct fips_rxbuf *b = fips_rxbuf_new();
	struct epoll_event ev[8];
	int n, i;

	while (b && !atomic_load(&u->stop)) {
		n = epoll_wait(u->epoll, ev, 8, -1);
		if (n < 0 && errno != EINTR)
			break;
		for (i = 0; i < n; i++)
			fips_rx_ready(u, b, ev[i].data.u32);
	}
	fips_rxbuf_free(b);
	return NULL;
}

static int fips_worker_start(struct fips_user *u, pthread_t *t, const char *name,
			     void *(*fn)(void *))
{
	sigset_t all, old;
	pthread_attr_t attr;
	int err;

	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	pthread_attr_setstacksize(&attr, FIPS_STACK_BYTES);
	/* Signals are the loop's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(t, &attr, fn, u);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (!err)
		pthread_setname_np(*t, name);
	return -err;
}

int fips_workers_start(struct fips_user *u)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = 0 };
	int err;

	if (epoll_ctl(u->epoll, EPOLL_CTL_ADD, u->stop_fd, &ev))
		return -errno;
	err = fips_worker_start(u, &u->rx_thread, "fips-rx", fips_rx_worker);
	if (err)
		return err;
	u->rx_runs = true;
	if (u->tun < 0)
		return 0;
	err = fips_worker_start(u, &u->tx_thread, "fips-tx", fips_tx_worker);
	u->tx_runs = !err;
	return err;
}

void fips_workers_stop(struct fips_user *u)
{
	u64 one = 1;

	atomic_store(&u->stop, true);
	if (u->stop_fd >= 0 && write(u->stop_fd, &one, sizeof(one)) < 0)
		fips_user_log(u, FIPS_LOG_ERROR, "the workers can't be woken: %s", strerror(errno));
	if (u->tx_runs)
		pthread_join(u->tx_thread, NULL);
	if (u->rx_runs)
		pthread_join(u->rx_thread, NULL);
	u->tx_runs = false;
	u->rx_runs = false;
}
