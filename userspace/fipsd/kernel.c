// SPDX-License-Identifier: MIT
/*
 * The kernel data plane: a device of kind "fips", owned through a control
 * socket and a data socket, and the ops table as netlink commands.
 *
 * Commands leave on the control socket, since the kernel knows its owner by
 * that port. Upcalls that come in while an answer is awaited are kept and
 * delivered from the loop: the node is never entered from inside its own op.
 */
#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "../nl/ifconfig.h"
#include "kernel.h"

#define CONTROL_RCVBUF	(4 * 1024 * 1024)
#define DATA_RCVBUF	(512 * 1024)
#define BATCH		64	/* upcalls a turn of the loop */

void kernel_say(struct kernel *k, int level, const char *fmt, ...)
{
	char line[320];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	k->host.log(k->host.ctx, level, line);
}

/* ---- upcalls ---- */

static void deliver(struct kernel *k, struct fipsnl_upcall *up)
{
	struct fips_event ev;
	int ret = fipsnl_event(up, k->ifindex, &ev);

	if (!ret)
		k->host.event(k->host.ctx, &ev);
	else if (ret != -ENOMSG)
		kernel_say(k, FIPS_LOG_WARN, "an upcall of the kernel was not understood");
	fipsnl_upcall_free(up);
}

static void drain(struct kernel *k, struct fipsnl *nl)
{
	struct fipsnl_upcall *up;
	int i, ret = 0;

	for (i = 0; i < BATCH && ret != -EAGAIN; i++) {
		ret = fipsnl_next(nl, &up);
		if (!ret) {
			deliver(k, up);
		} else if (ret == -ENOBUFS && nl == &k->control) {
			struct fips_event ev = { .type = FIPS_EV_RESYNC };

			kernel_say(k, FIPS_LOG_WARN, "upcalls were lost, comparing anew");
			k->host.event(k->host.ctx, &ev);
		} else if (ret != -EAGAIN && ret != -ENOBUFS) {
			kernel_say(k, FIPS_LOG_ERROR, "netlink: %s", strerror(-ret));
			return;
		}
	}
}

static void on_later(uv_idle_t *idle)
{
	struct kernel *k = idle->data;

	if (!fipsnl_has_pending(&k->control)) {
		uv_idle_stop(idle);
		return;
	}
	drain(k, &k->control);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct kernel *k = poll->data;

	(void)status;
	(void)events;
	drain(k, poll == &k->poll[0] ? &k->control : &k->data);
	if (fipsnl_has_pending(&k->control))
		uv_idle_start(&k->later, on_later);
}

/* After each command: what came along is delivered when the loop runs. */
static int done(struct kernel *k, const char *what, int ret)
{
	if (fipsnl_has_pending(&k->control))
		uv_idle_start(&k->later, on_later);
	if (ret && *k->control.error)
		kernel_say(k, FIPS_LOG_DEBUG, "kernel: %s: %s", what, k->control.error);
	return ret;
}

/* ---- ops ---- */

static int op_dev_set(void *dp, const struct fips_dp_dev *dev)
{
	struct kernel *k = dp;

	return done(k, "dev-set", fipsnl_dev_set(&k->control, k->ifindex, dev));
}

static int op_link_new(void *dp, const struct fips_dp_link *link)
{
	struct kernel *k = dp;

	return done(k, "link-new", fipsnl_link_new(&k->control, k->ifindex, link));
}

static int op_link_move(void *dp, u32 id, u32 transport_id, const struct fips_taddr *remote)
{
	struct kernel *k = dp;

	return done(k, "link-set", fipsnl_link_move(&k->control, k->ifindex, id, transport_id,
						    remote));
}

static int op_link_del(void *dp, u32 id)
{
	struct kernel *k = dp;

	return done(k, "link-del", fipsnl_link_del(&k->control, k->ifindex, id));
}

static int op_link_key_new(void *dp, u32 id, const struct fips_dp_key *key)
{
	struct kernel *k = dp;

	return done(k, "link-key-new", fipsnl_link_key_new(&k->control, k->ifindex, id, key));
}

static int op_link_key_swap(void *dp, u32 id)
{
	struct kernel *k = dp;

	return done(k, "link-key-swap", fipsnl_link_key_swap(&k->control, k->ifindex, id));
}

static int op_link_key_del(void *dp, u32 id, u32 slot)
{
	struct kernel *k = dp;

	return done(k, "link-key-del", fipsnl_link_key_del(&k->control, k->ifindex, id, slot));
}

static int op_link_xmit(void *dp, u32 id, u32 slot, const void *msg, size_t len)
{
	struct kernel *k = dp;

	return done(k, "link-xmit", fipsnl_link_xmit(&k->control, k->ifindex, id, slot, msg, len));
}

/* The current key of a list; zeros if there is none. */
static struct fipsnl_key current_key(const struct fipsnl_key *key, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (key[i].slot == FIPS_KEY_SLOT_CURRENT)
			return key[i];
	return (struct fipsnl_key){ 0 };
}

static int op_link_get(void *dp, u32 id, struct fips_dp_link_info *info)
{
	struct kernel *k = dp;
	struct fipsnl_link link = { 0 };
	int ret = done(k, "link-get", fipsnl_link_get(&k->control, k->ifindex, id, &link));

	if (ret)
		return ret;
	info->last_rx_ms = link.last_rx_ms;
	info->remote = link.remote;
	info->tx_counter = current_key(link.key, link.keys).tx_counter;
	info->stats = link.stats.dp;
	return 0;
}

static int op_link_report(void *dp, u32 id, u32 take, struct fips_mmp_report *report)
{
	struct kernel *k = dp;

	return done(k, "link-report", fipsnl_link_report(&k->control, k->ifindex, id, take,
							 report));
}

static int op_link_congested(void *dp, u32 id, bool congested)
{
	struct kernel *k = dp;

	return done(k, "link-set", fipsnl_link_congested(&k->control, k->ifindex, id, congested));
}

static int op_session_new(void *dp, const struct fips_dp_session *s)
{
	struct kernel *k = dp;

	return done(k, "session-new", fipsnl_session_new(&k->control, k->ifindex, s));
}

static int op_session_set(void *dp, const struct fips_dp_session *s)
{
	struct kernel *k = dp;

	return done(k, "session-set", fipsnl_session_set(&k->control, k->ifindex, s));
}

static int op_session_del(void *dp, const struct fips_node_addr *remote)
{
	struct kernel *k = dp;

	return done(k, "session-del", fipsnl_session_del(&k->control, k->ifindex, remote));
}

static int op_session_key_new(void *dp, const struct fips_node_addr *remote,
			      const struct fips_dp_key *key)
{
	struct kernel *k = dp;

	return done(k, "session-key-new",
		    fipsnl_session_key_new(&k->control, k->ifindex, remote, key));
}

static int op_session_key_swap(void *dp, const struct fips_node_addr *remote)
{
	struct kernel *k = dp;

	return done(k, "session-key-swap",
		    fipsnl_session_key_swap(&k->control, k->ifindex, remote));
}

static int op_session_key_del(void *dp, const struct fips_node_addr *remote, u32 slot)
{
	struct kernel *k = dp;

	return done(k, "session-key-del",
		    fipsnl_session_key_del(&k->control, k->ifindex, remote, slot));
}

static int op_session_xmit(void *dp, const struct fips_node_addr *remote, u32 slot, u8 msg_type,
			   bool with_coords, const void *body, size_t len)
{
	struct kernel *k = dp;

	return done(k, "session-xmit",
		    fipsnl_session_xmit(&k->control, k->ifindex, remote, slot, msg_type,
					with_coords, body, len));
}

static int op_session_get(void *dp, const struct fips_node_addr *remote,
			  struct fips_dp_session_info *info)
{
	struct kernel *k = dp;
	struct fipsnl_session s = { 0 };
	int ret = done(k, "session-get", fipsnl_session_get(&k->control, k->ifindex, remote, &s));

	if (ret)
		return ret;
	info->last_data_ms = s.last_data_ms;
	info->last_rx_ms = s.last_rx_ms;
	info->path_mtu = s.path_mtu;
	info->staged = s.staged;
	info->tx_counter = current_key(s.key, s.keys).tx_counter;
	info->k_bit = current_key(s.key, s.keys).k_bit;
	info->stats = s.stats.dp;
	return 0;
}

static int op_session_report(void *dp, const struct fips_node_addr *remote, u32 take,
			     struct fips_mmp_report *report)
{
	struct kernel *k = dp;

	return done(k, "session-report", fipsnl_session_report(&k->control, k->ifindex, remote,
							       take, report));
}

static int op_unreachable(void *dp, const u8 *ipv6, u32 ms)
{
	struct kernel *k = dp;

	return done(k, "session-set", fipsnl_unreachable(&k->control, k->ifindex, ipv6, ms));
}

static int op_route_set(void *dp, const struct fips_node_addr *dest, u32 link_id, u32 generation)
{
	struct kernel *k = dp;

	return done(k, "route-set", fipsnl_route_set(&k->control, k->ifindex, dest, link_id,
						     generation));
}

static int op_route_unreachable(void *dp, const struct fips_node_addr *dest, u32 ms)
{
	struct kernel *k = dp;

	return done(k, "route-set", fipsnl_route_unreachable(&k->control, k->ifindex, dest, ms));
}

static int op_route_del(void *dp, const struct fips_node_addr *dest)
{
	struct kernel *k = dp;

	return done(k, "route-del", fipsnl_route_del(&k->control, k->ifindex, dest));
}

static int op_route_flush(void *dp, u32 older_than)
{
	struct kernel *k = dp;

	return done(k, "route-flush", fipsnl_route_flush(&k->control, k->ifindex, older_than));
}

static int op_dev_get(void *dp, struct fips_dp_stats *stats)
{
	struct kernel *k = dp;
	struct fipsnl_dev dev = { 0 };
	int ret = done(k, "dev-get", fipsnl_dev_get(&k->control, k->ifindex, &dev));

	if (!ret)
		*stats = dev.stats.dp;
	return ret;
}

static int op_dev_owner(void *dp, const void *data, size_t len)
{
	struct kernel *k = dp;

	return done(k, "dev-set", fipsnl_dev_set_owner_data(&k->control, k->ifindex, data, len));
}

static int op_link_owner(void *dp, u32 id, const void *data, size_t len)
{
	struct kernel *k = dp;

	return done(k, "link-set", fipsnl_link_set_owner_data(&k->control, k->ifindex, id, data,
							      len));
}

static int op_session_owner(void *dp, const struct fips_node_addr *remote, const void *data,
			    size_t len)
{
	struct kernel *k = dp;

	return done(k, "session-set", fipsnl_session_set_owner_data(&k->control, k->ifindex,
								    remote, data, len));
}

static const struct fips_dp_ops kernel_ops = {
	.name = "kernel",
	.dev_set = op_dev_set,
	.link_new = op_link_new,
	.link_move = op_link_move,
	.link_del = op_link_del,
	.link_key_new = op_link_key_new,
	.link_key_swap = op_link_key_swap,
	.link_key_del = op_link_key_del,
	.link_xmit = op_link_xmit,
	.link_get = op_link_get,
	.link_report = op_link_report,
	.link_congested = op_link_congested,
	.session_new = op_session_new,
	.session_set = op_session_set,
	.session_del = op_session_del,
	.session_key_new = op_session_key_new,
	.session_key_swap = op_session_key_swap,
	.session_key_del = op_session_key_del,
	.session_xmit = op_session_xmit,
	.session_get = op_session_get,
	.session_report = op_session_report,
	.unreachable = op_unreachable,
	.route_set = op_route_set,
	.route_unreachable = op_route_unreachable,
	.route_del = op_route_del,
	.route_flush = op_route_flush,
	.dev_get = op_dev_get,
	.dev_owner = op_dev_owner,
	.link_owner = op_link_owner,
	.session_owner = op_session_owner,
};

/* ---- provider ---- */

static int kernel_transport_add(void *dp, const struct fips_transport_info *info, int fd)
{
	struct kernel *k = dp;
	int ret = done(k, "transport-new",
		       fipsnl_transport_new(&k->control, k->ifindex, info, fd));

	if (ret && *k->control.error)
		kernel_say(k, FIPS_LOG_WARN, "the kernel refuses the socket: %s", k->control.error);
	return ret;
}

static int kernel_transport_del(void *dp, u32 id)
{
	struct kernel *k = dp;

	return done(k, "transport-del", fipsnl_transport_del(&k->control, k->ifindex, id));
}

static int sockets_open(struct kernel *k, char *why, size_t why_len)
{
	int ret = fipsnl_open(&k->control, CONTROL_RCVBUF);

	if (ret) {
		snprintf(why, why_len, ret == -ENOENT ?
			 "the kernel has no \"fips\" family, and the module fips can't be loaded" :
			 "generic netlink: %s", strerror(-ret));
		return ret;
	}
	ret = fipsnl_open(&k->data, DATA_RCVBUF);
	if (ret)
		snprintf(why, why_len, "generic netlink: %s", strerror(-ret));
	return ret;
}

/*
 * Become the owner. What a dead one left is kept if it was ours and says who it
 * was (its startup epoch), else flushed.
 */
static int own(struct kernel *k, bool takeover, char *why, size_t why_len)
{
	int ret;

	k->ifindex = if_nametoindex(k->ifname);
	ret = fipsnl_dev_own(&k->control, k->ifindex, k->data.portid, takeover);
	if (ret)
		snprintf(why, why_len, "interface %s can't be owned: %s", k->ifname,
			 *k->control.error ? k->control.error : strerror(-ret));
	return ret;
}

/* A device of that name is there: take it over, or replace it if it is another node's. */
static int own_existing(struct kernel *k, char *why, size_t why_len)
{
	struct fipsnl_dev dev = { 0 };
	int ret;

	k->ifindex = if_nametoindex(k->ifname);
	ret = fipsnl_dev_get(&k->control, k->ifindex, &dev);
	if (ret || dev.owned || !dev.has_addr || fips_node_addr_eq(&dev.addr, &k->cfg.addr)) {
		k->inherited = !ret && fips_node_saved_epoch(dev.owner_data, dev.owner_len,
							     k->epoch);
		return own(k, k->inherited, why, why_len);
	}
	ret = fips_ifconfig_delete(k->ifname, "fips", why, why_len);
	if (!ret)
		ret = kernel_device_new(k->ifname, k->cfg.mtu, why, why_len);
	return ret ? ret : own(k, false, why, why_len);
}

static int device_own(struct kernel *k, char *why, size_t why_len)
{
	int ret = kernel_device_new(k->ifname, k->cfg.mtu, why, why_len);

	if (ret == -EEXIST)
		ret = own_existing(k, why, why_len);
	else if (!ret)
		ret = own(k, false, why, why_len);
	if (ret)
		return ret;
	ret = fipsnl_dev_set_linger(&k->control, k->ifindex, k->cfg.linger);
	if (ret)
		snprintf(why, why_len, "interface %s: linger can't be set: %s", k->ifname,
			 strerror(-ret));
	return ret;
}

static int device_up(struct kernel *k, char *why, size_t why_len)
{
	if (!k->cfg.tun_enabled)
		return 0;
	if (fips_ifconfig_ipv6_disabled()) {
		snprintf(why, why_len, "IPv6 is switched off (net.ipv6.conf.all.disable_ipv6)");
		return -EAFNOSUPPORT;
	}
	return fips_ifconfig_up(k->ifname, k->cfg.ipv6, k->cfg.mtu, &k->ruled, why, why_len);
}

static void device_delete(struct kernel *k)
{
	char why[128];

	if (k->ruled)
		fips_ifconfig_down();
	if (fips_ifconfig_delete(k->ifname, "fips", why, sizeof(why)))
		kernel_say(k, FIPS_LOG_WARN, "%s", why);
}

static void on_closed(uv_handle_t *handle)
{
	struct kernel *k = handle->data;

	if (!--k->open_handles)
		free(k);
}

static int watch(struct kernel *k, uv_loop_t *loop)
{
	struct fipsnl *nl[2] = { &k->control, &k->data };
	int i, ret;

	for (i = 0; i < 2; i++) {
		ret = uv_poll_init(loop, &k->poll[i], fipsnl_fd(nl[i]));
		if (ret)
			return ret;
		k->poll[i].data = k;
		k->open_handles++;
		uv_poll_start(&k->poll[i], UV_READABLE, on_poll);
	}
	uv_idle_init(loop, &k->later);
	k->later.data = k;
	k->open_handles++;
	return 0;
}

static void kernel_release(struct kernel *k)
{
	int i, handles = k->open_handles;

	if (!handles) {
		fipsnl_close(&k->control);
		fipsnl_close(&k->data);
		free(k);
		return;
	}
	for (i = 0; i < 2 && i < handles; i++) {
		uv_poll_stop(&k->poll[i]);
		uv_close((uv_handle_t *)&k->poll[i], on_closed);
	}
	if (handles == 3) {
		uv_idle_stop(&k->later);
		uv_close((uv_handle_t *)&k->later, on_closed);
	}
	fipsnl_close(&k->control);
	fipsnl_close(&k->data);
}

static void kernel_close(void *dp)
{
	struct kernel *k = dp;

	device_delete(k);
	kernel_release(k);
}

static int kernel_open(void **dp, void *loop, const struct fips_provider_config *cfg,
		       const struct fips_provider_host *host, char *why, size_t why_len)
{
	struct kernel *k = calloc(1, sizeof(*k));
	int ret;

	if (!k)
		return -ENOMEM;
	k->cfg = *cfg;
	k->host = *host;
	snprintf(k->ifname, sizeof(k->ifname), "%s", cfg->ifname);
	k->cfg.ifname = k->ifname;
	ret = sockets_open(k, why, why_len);
	if (ret)
		goto fail;
	ret = device_own(k, why, why_len);
	if (ret)
		goto fail;
	ret = device_up(k, why, why_len);
	if (!ret)
		ret = watch(k, loop);
	if (ret) {
		kernel_close(k);
		return ret;
	}
	*dp = k;
	return 0;
fail:
	kernel_release(k);
	return ret;
}

const struct fips_provider fips_provider_kernel = {
	.name = "kernel",
	.ops = &kernel_ops,
	.owns_receive = false,
	.open = kernel_open,
	.transport_add = kernel_transport_add,
	.transport_del = kernel_transport_del,
	.inherited = kernel_inherited,
	.transport_take = kernel_transport_take,
	.restore = kernel_restore,
	.close = kernel_close,
};
