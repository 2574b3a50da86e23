// SPDX-License-Identifier: MIT
/*
 * DNS over TCP (RFC 7766): messages behind their length, several on one
 * connection. A client that is slow, idle or beyond the bound costs a place for
 * a few seconds at most.
 */
#include <errno.h>
#include <stdlib.h>

#include "dns_internal.h"

#define PREFIX		2
#define BACKLOG		64
#define UNSENT_MAX	16384	/* a client that does not read its answers has had enough */

struct dns_client {
	uv_tcp_t tcp;
	uv_timer_t timer;
	struct fipsd_dns *dns;
	struct dns_client *prev;
	struct dns_client *next;
	u8 in[PREFIX + FIPSD_DNS_QUERY_MAX];
	size_t have;
	int handles;
	bool closing;
};

struct dns_write {
	uv_write_t req;
	u8 data[];
};

static void on_client_closed(uv_handle_t *handle)
{
	struct dns_client *cl = handle->data;
	struct fipsd_dns *dns = cl->dns;

	if (!--cl->handles)
		free(cl);
	dns_put(dns);
}

static void client_close(struct dns_client *cl)
{
	if (cl->closing)
		return;
	cl->closing = true;
	if (cl->prev)
		cl->prev->next = cl->next;
	else
		cl->dns->clients = cl->next;
	if (cl->next)
		cl->next->prev = cl->prev;
	cl->dns->n_clients--;
	uv_close((uv_handle_t *)&cl->tcp, on_client_closed);
	uv_close((uv_handle_t *)&cl->timer, on_client_closed);
}

static void on_idle(uv_timer_t *timer)
{
	client_close(timer->data);
}

static void on_written(uv_write_t *req, int status)
{
	struct dns_client *cl = req->data;

	free(req);
	if (status < 0)
		client_close(cl);
}

static void client_reply(struct dns_client *cl, const u8 *reply, size_t len)
{
	struct dns_write *w = malloc(sizeof(*w) + PREFIX + len);
	uv_buf_t buf;

	if (!w || uv_stream_get_write_queue_size((uv_stream_t *)&cl->tcp) > UNSENT_MAX) {
		free(w);
		client_close(cl);
		return;
	}
	w->data[0] = (u8)(len >> 8);
	w->data[1] = (u8)len;
	memcpy(w->data + PREFIX, reply, len);
	w->req.data = cl;
	buf = uv_buf_init((char *)w->data, (unsigned int)(PREFIX + len));
	if (uv_write(&w->req, (uv_stream_t *)&cl->tcp, &buf, 1, on_written)) {
		free(w);
		client_close(cl);
	}
}

/* Answer what is complete. What can't be read gets no answer, and here the end. */
static void client_queries(struct dns_client *cl)
{
	u8 reply[FIPSD_DNS_REPLY_MAX];
	size_t at = 0, len, out;

	while (!cl->closing && cl->have - at >= PREFIX) {
		len = (size_t)cl->in[at] << 8 | cl->in[at + 1];
		if (len > FIPSD_DNS_QUERY_MAX) {
			client_close(cl);
			return;
		}
		if (cl->have - at < PREFIX + len)
			break;
		out = dns_serve(cl->dns, cl->in + at + PREFIX, len, sizeof(reply), reply);
		at += PREFIX + len;
		if (out)
			client_reply(cl, reply, out);
		else
			client_close(cl);
	}
	if (cl->closing)
		return;
	memmove(cl->in, cl->in + at, cl->have - at);
	cl->have -= at;
	/* Whole messages only: one byte a second keeps no place. */
	if (at)
		uv_timer_start(&cl->timer, on_idle, FIPSD_DNS_TCP_IDLE_MS, 0);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct dns_client *cl = handle->data;

	(void)suggested;
	*buf = uv_buf_init((char *)cl->in + cl->have, (unsigned int)(sizeof(cl->in) - cl->have));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct dns_client *cl = stream->data;

	(void)buf;
	if (n < 0) {
		client_close(cl);
		return;
	}
	cl->have += (size_t)n;
	client_queries(cl);
}

/*
 * Was it the mesh that connected? What comes out of it is always sent to our
 * own address there.
 */
static bool from_mesh(const struct dns_client *cl)
{
	struct sockaddr_in6 local;
	int len = sizeof(local);

	if (uv_tcp_getsockname(&cl->tcp, (struct sockaddr *)&local, &len))
		return true;
	return local.sin6_family == AF_INET6 &&
	       !memcmp(&local.sin6_addr, cl->dns->mesh_ipv6, FIPS_IPV6_LEN);
}

static struct dns_client *client_new(struct fipsd_dns *dns)
{
	struct dns_client *cl = calloc(1, sizeof(*cl));

	if (!cl)
		return NULL;
	cl->dns = dns;
	cl->tcp.data = cl;
	cl->timer.data = cl;
	uv_timer_init(dns->tcp.loop, &cl->timer);
	uv_tcp_init(dns->tcp.loop, &cl->tcp);
	cl->handles = 2;
	dns->handles += 2;
	cl->next = dns->clients;
	if (cl->next)
		cl->next->prev = cl;
	dns->clients = cl;
	dns->n_clients++;
	return cl;
}

static void on_connect(uv_stream_t *server, int status)
{
	struct fipsd_dns *dns = server->data;
	struct dns_client *cl, *oldest;

	if (status < 0)
		return;
	cl = client_new(dns);
	if (!cl)
		return;
	if (uv_accept(server, (uv_stream_t *)&cl->tcp)) {
		client_close(cl);
		return;
	}
	if (from_mesh(cl)) {
		dns->count[FIPSD_DNS_FROM_MESH]++;
		client_close(cl);
		return;
	}
	uv_timer_start(&cl->timer, on_idle, FIPSD_DNS_TCP_IDLE_MS, 0);
	if (uv_read_start((uv_stream_t *)&cl->tcp, on_alloc, on_read)) {
		client_close(cl);
		return;
	}
	if (dns->n_clients <= FIPSD_DNS_TCP_CLIENTS)
		return;
	/* Full: who has been here longest makes room for who comes. */
	for (oldest = cl; oldest->next; oldest = oldest->next)
		;
	client_close(oldest);
}

static void on_listener_closed(uv_handle_t *handle)
{
	dns_put(handle->data);
}

int dns_tcp_start(struct fipsd_dns *dns, uv_loop_t *loop)
{
	int ret = uv_tcp_init(loop, &dns->tcp);

	if (ret)
		return ret;
	dns->tcp.data = dns;
	dns->tcp_open = true;
	dns->handles++;
	ret = uv_tcp_bind(&dns->tcp, (struct sockaddr *)&dns->local, 0);
	if (!ret)
		ret = uv_listen((uv_stream_t *)&dns->tcp, BACKLOG, on_connect);
	if (ret)
		dns_tcp_stop(dns);
	return ret;
}

void dns_tcp_stop(struct fipsd_dns *dns)
{
	struct dns_client *cl, *next;

	for (cl = dns->clients; cl; cl = next) {
		next = cl->next;
		client_close(cl);
	}
	if (!dns->tcp_open)
		return;
	dns->tcp_open = false;
	uv_close((uv_handle_t *)&dns->tcp, on_listener_closed);
}
