// SPDX-License-Identifier: MIT
/*
 * The user data plane as the daemon and the node see it: struct fips_provider
 * and struct fips_dp_ops over the packet core. Commands run on the loop's thread
 * with the core to themselves, so they take effect in order.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "node.h"
#include "user.h"

#define FIPS_TICK_DELAY_MS	50

void fips_user_log(struct fips_user *u, int level, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	u->host.log(u->host.ctx, level, line);
}

/* ------------------------------------------------------------------ timer */

static void fips_user_tick(struct fips_user *u);

static void fips_user_timer(uv_timer_t *t)
{
	struct fips_user_handles *h = t->data;

	if (h->u)
		fips_user_tick(h->u);
}

static void fips_user_tick(struct fips_user *u)
{
	u64 now, next;

	pthread_rwlock_wrlock(&u->lock);
	now = fips_user_now();
	next = fips_core_tick(u->core, &u->loop.out, now);
	fips_outlet_flush(&u->loop);
	pthread_rwlock_unlock(&u->lock);
	if (next == FIPS_NEVER)
		return;
	if (next < now + FIPS_TICK_DELAY_MS)
		next = now + FIPS_TICK_DELAY_MS;
	uv_timer_start(&u->handles->timer, fips_user_timer, next - now, 0);
}

/* Soon, unless it comes sooner anyway. */
static void fips_user_tick_soon(struct fips_user *u)
{
	if (!uv_is_active((uv_handle_t *)&u->handles->timer) ||
	    uv_timer_get_due_in(&u->handles->timer) > FIPS_TICK_DELAY_MS)
		uv_timer_start(&u->handles->timer, fips_user_timer, FIPS_TICK_DELAY_MS, 0);
}

static void fips_user_async(uv_async_t *a)
{
	struct fips_user_handles *h = a->data;

	if (!h->u)
		return;
	if (atomic_exchange(&h->u->tick, false))
		fips_user_tick_soon(h->u);
	fips_uevents_deliver(h->u);
}

/* --------------------------------------------------------------- commands */

static struct fips_core *fips_user_begin(void *dp)
{
	struct fips_user *u = dp;

	pthread_rwlock_wrlock(&u->lock);
	return u->core;
}

static int fips_user_end(void *dp, int ret)
{
	struct fips_user *u = dp;

	fips_outlet_flush(&u->loop);
	pthread_rwlock_unlock(&u->lock);
	if (fips_core_wants_tick(u->core))
		fips_user_tick_soon(u);
	return ret;
}

#define FIPS_USER_OUT(dp)	(&((struct fips_user *)(dp))->loop.out)

static int fips_user_dev_set(void *dp, const struct fips_dp_dev *dev)
{
	return fips_user_end(dp, fips_core_dev_set(fips_user_begin(dp), dev));
}

static int fips_user_dev_get(void *dp, struct fips_dp_stats *st)
{
	fips_core_dev_get(fips_user_begin(dp), st);
	return fips_user_end(dp, 0);
}

static int fips_user_link_new(void *dp, const struct fips_dp_link *l)
{
	struct fips_core *c = fips_user_begin(dp);

	return fips_user_end(dp, fips_core_link_new(c, FIPS_USER_OUT(dp), fips_user_now(), l));
}

static int fips_user_link_move(void *dp, u32 id, u32 transport_id, const struct fips_taddr *remote)
{
	struct fips_endpoint to = { .transport_id = transport_id, .addr = *remote };

	return fips_user_end(dp, fips_core_link_move(fips_user_begin(dp), id, &to));
}

static int fips_user_link_del(void *dp, u32 id)
{
	return fips_user_end(dp, fips_core_link_del(fips_user_begin(dp), id));
}

static int fips_user_link_key_new(void *dp, u32 id, const struct fips_dp_key *key)
{
	struct fips_core *c = fips_user_begin(dp);

	return fips_user_end(dp, fips_core_link_key_new(c, FIPS_USER_OUT(dp), fips_user_now(), id,
							key));
}

static int fips_user_link_key_swap(void *dp, u32 id)
{
	return fips_user_end(dp, fips_core_link_key_swap(fips_user_begin(dp), fips_user_now(), id));
}

static int fips_user_link_key_del(void *dp, u32 id, u32 slot)
{
	return fips_user_end(dp, fips_core_link_key_del(fips_user_begin(dp), id, slot));
}

static int fips_user_link_xmit(void *dp, u32 id, u32 slot, const void *msg, size_t len)
{
	struct fips_core *c = fips_user_begin(dp);

	return fips_user_end(dp, fips_core_link_xmit(c, FIPS_USER_OUT(dp), fips_user_now(), id,
						     slot, msg, len));
}

static int fips_user_link_get(void *dp, u32 id, struct fips_dp_link_info *info)
{
	return fips_user_end(dp, fips_core_link_get(fips_user_begin(dp), fips_user_now(), id,
						    info));
}

static int fips_user_link_report(void *dp, u32 id, u32 take, struct fips_mmp_report *report)
{
	return fips_user_end(dp, fips_core_link_report(fips_user_begin(dp), fips_user_now(), id,
						       take, report));
}

static int fips_user_link_congested(void *dp, u32 id, bool congested)
{
	return fips_user_end(dp, fips_core_link_congested(fips_user_begin(dp), id, congested));
}

static int fips_user_session_new(void *dp, const struct fips_dp_session *s)
{
	struct fips_core *c = fips_user_begin(dp);

	return fips_user_end(dp, fips_core_session_new(c, FIPS_USER_OUT(dp), fips_user_now(), s));
}

static int fips_user_session_set(void *dp, const struct fips_dp_session *s)
{
	return fips_user_end(dp, fips_core_session_set(fips_user_begin(dp), s));
}

static int fips_user_session_del(void *dp, const struct fips_node_addr *remote)
{
	return fips_user_end(dp, fips_core_session_del(fips_user_begin(dp), remote));
}

static int fips_user_session_key_new(void *dp, const struct fips_node_addr *remote,
				     const struct fips_dp_key *key)
{
	struct fips_core *c = fips_user_begin(dp);

	return fips_user_end(dp, fips_core_session_key_new(c, FIPS_USER_OUT(dp), fips_user_now(),
							   remote, key));
}

static int fips_user_session_key_swap(void *dp, const struct fips_node_addr *remote)
{
	return fips_user_end(dp, fips_core_session_key_swap(fips_user_begin(dp), fips_user_now(),
							    remote));
}

static int fips_user_session_key_del(void *dp, const struct fips_node_addr *remote, u32 slot)
{
	return fips_user_end(dp, fips_core_session_key_del(fips_user_begin(dp), remote, slot));
}

static int fips_user_session_xmit(void *dp, const struct fips_node_addr *remote, u32 slot,
				  u8 msg_type, bool with_coords, const void *body, size_t len)
{
	struct fips_core *c = fips_user_begin(dp);

	return fips_user_end(dp, fips_core_session_xmit(c, FIPS_USER_OUT(dp), fips_user_now(),
							remote, slot, msg_type, with_coords, body,
							len));
}

static int fips_user_session_get(void *dp, const struct fips_node_addr *remote,
				 struct fips_dp_session_info *info)
{
	return fips_user_end(dp, fips_core_session_get(fips_user_begin(dp), fips_user_now(), remote,
						       info));
}

static int fips_user_session_report(void *dp, const struct fips_node_addr *remote, u32 take,
				    struct fips_mmp_report *report)
{
	return fips_user_end(dp, fips_core_session_report(fips_user_begin(dp), fips_user_now(),
							  remote, take, report));
}

static int fips_user_unreachable(void *dp, const u8 *ipv6, u32 ms)
{
	struct fips_core *c = fips_user_begin(dp);

	return fips_user_end(dp, fips_core_unreachable(c, FIPS_USER_OUT(dp), fips_user_now(), ipv6,
						       ms));
}

static int fips_user_route_set(void *dp, const struct fips_node_addr *dest, u32 link_id,
			       u32 generation)
{
	struct fips_core *c = fips_user_begin(dp);

	return fips_user_end(dp, fips_core_route_set(c, FIPS_USER_OUT(dp), fips_user_now(), dest,
						     link_id, generation));
}

static int fips_user_route_unreachable(void *dp, const struct fips_node_addr *dest, u32 ms)
{
	struct fips_core *c = fips_user_begin(dp);

	return fips_user_end(dp, fips_core_route_unreachable(c, FIPS_USER_OUT(dp), fips_user_now(),
							     dest, ms));
}

static int fips_user_route_del(void *dp, const struct fips_node_addr *dest)
{
	return fips_user_end(dp, fips_core_route_del(fips_user_begin(dp), dest));
}

static int fips_user_route_flush(void *dp, u32 older_than)
{
	return fips_user_end(dp, fips_core_route_flush(fips_user_begin(dp), older_than));
}

/* ------------------------------------------------------------ life of it */

static void fips_user_handle_closed(uv_handle_t *h)
{
	struct fips_user_handles *hs = h->data;

	if (!--hs->open)
		free(hs);
}

static void fips_user_handles_close(struct fips_user *u)
{
	struct fips_user_handles *h = u->handles;

	if (!h)
		return;
	h->u = NULL;
	uv_close((uv_handle_t *)&h->async, fips_user_handle_closed);
	uv_close((uv_handle_t *)&h->timer, fips_user_handle_closed);
	u->handles = NULL;
}

static int fips_user_handles_open(struct fips_user *u, uv_loop_t *loop)
{
	struct fips_user_handles *h = calloc(1, sizeof(*h));
	int err;

	if (!h)
		return -ENOMEM;
	err = uv_async_init(loop, &h->async, fips_user_async);
	if (err) {
		free(h);
		return err;
	}
	uv_timer_init(loop, &h->timer);
	h->async.data = h;
	h->timer.data = h;
	h->open = 2;
	h->u = u;
	u->handles = h;
	return 0;
}

static void fips_user_close(void *dp)
{
	struct fips_user *u = dp;
	int i;

	fips_workers_stop(u);
	fips_tun_close(u);
	fips_user_handles_close(u);
	fips_core_free(u->core);
	for (i = 0; i < FIPS_LANES; i++)
		fips_aead_engine_free(u->engine[i]);
	fips_outlet_free(&u->tx);
	fips_outlet_free(&u->rx);
	fips_outlet_free(&u->loop);
	fips_uevents_free(&u->events);
	if (u->epoll >= 0)
		close(u->epoll);
	if (u->stop_fd >= 0)
		close(u->stop_fd);
	pthread_rwlock_destroy(&u->lock);
	free(u);
}

static struct fips_user *fips_user_alloc(const struct fips_provider_config *cfg,
					 const struct fips_provider_host *host)
{
	struct fips_core_config core = { .addr = cfg->addr };
	struct fips_user *u = calloc(1, sizeof(*u));
	pthread_rwlockattr_t attr;
	int i;

	if (!u)
		return NULL;
	u->host = *host;
	u->cfg = *cfg;
	snprintf(u->name, sizeof(u->name), "%s", cfg->ifname ? cfg->ifname : "");
	u->cfg.ifname = u->name;
	u->tun = -1;
	/* Or two busy workers could keep a command out for ever. */
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&u->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
	fips_uevents_init(&u->events);
	u->epoll = epoll_create1(EPOLL_CLOEXEC);
	u->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	for (i = 0; i < FIPS_LANES; i++) {
		u->engine[i] = fips_aead_engine_new();
		core.engine[i] = u->engine[i];
	}
	u->core = fips_core_new(&core);
	u->rx.merge = calloc(1, sizeof(*u->rx.merge));
	if (u->rx.merge && u->core && u->epoll >= 0 && u->stop_fd >= 0) {
		fips_outlet_init(&u->tx, u, FIPS_LANE_TX);
		fips_outlet_init(&u->rx, u, FIPS_LANE_RX);
		fips_outlet_init(&u->loop, u, FIPS_LANE_TX);
		return u;
	}
	fips_user_close(u);
	return NULL;
}

static int fips_user_open(void **dp, void *loop, const struct fips_provider_config *cfg,
			  const struct fips_provider_host *host, char *why, size_t why_len)
{
	struct fips_user *u = fips_user_alloc(cfg, host);
	int err;

	if (!u) {
		snprintf(why, why_len, "out of memory or file descriptors");
		return -ENOMEM;
	}
	err = fips_user_handles_open(u, loop);
	if (err)
		snprintf(why, why_len, "the event loop refuses: %s", uv_strerror(err));
	else if (cfg->tun_enabled)
		err = fips_tun_open(u, why, why_len);
	if (!err) {
		err = fips_workers_start(u);
		if (err)
			snprintf(why, why_len, "no threads: %s", strerror(-err));
	}
	if (err) {
		fips_user_close(u);
		return err;
	}
	*dp = u;
	return 0;
}

static int fips_user_transport_add(void *dp, const struct fips_transport_info *info, int fd)
{
	struct fips_user *u = dp;
	int err;

	if (info->kind != FIPS_TRANSPORT_UDP)
		return -EPROTONOSUPPORT;
	pthread_rwlock_wrlock(&u->lock);
	err = fips_utransport_add(u, info->id, fd);
	pthread_rwlock_unlock(&u->lock);
	return err;
}

static int fips_user_transport_del(void *dp, u32 id)
{
	struct fips_user *u = dp;
	int err;

	pthread_rwlock_wrlock(&u->lock);
	err = fips_utransport_del(u, id);
	if (!err)
		fips_core_links_del(u->core, id);
	pthread_rwlock_unlock(&u->lock);
	return err;
}

static const struct fips_dp_ops fips_user_ops = {
	.name = "user",
	.dev_set = fips_user_dev_set,
	.link_new = fips_user_link_new,
	.link_move = fips_user_link_move,
	.link_del = fips_user_link_del,
	.link_key_new = fips_user_link_key_new,
	.link_key_swap = fips_user_link_key_swap,
	.link_key_del = fips_user_link_key_del,
	.link_xmit = fips_user_link_xmit,
	.link_get = fips_user_link_get,
	.link_report = fips_user_link_report,
	.link_congested = fips_user_link_congested,
	.session_new = fips_user_session_new,
	.session_set = fips_user_session_set,
	.session_del = fips_user_session_del,
	.session_key_new = fips_user_session_key_new,
	.session_key_swap = fips_user_session_key_swap,
	.session_key_del = fips_user_session_key_del,
	.session_xmit = fips_user_session_xmit,
	.session_get = fips_user_session_get,
	.session_report = fips_user_session_report,
	.unreachable = fips_user_unreachable,
	.route_set = fips_user_route_set,
	.route_unreachable = fips_user_route_unreachable,
	.route_del = fips_user_route_del,
	.route_flush = fips_user_route_flush,
	.dev_get = fips_user_dev_get,
};

const struct fips_provider fips_provider_user = {
	.name = "user",
	.ops = &fips_user_ops,
	.owns_receive = true,
	.open = fips_user_open,
	.transport_add = fips_user_transport_add,
	.transport_del = fips_user_transport_del,
	.close = fips_user_close,
};
