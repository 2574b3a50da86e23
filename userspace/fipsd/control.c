// SPDX-License-Identifier: MIT
/*
 * Framing and clients of the control socket. A client is a small machine:
 * reading until newline, end of input, 4,096 bytes or the timeout; answered
 * once; writing until done or the timeout; closed. Slow clients cost one of
 * FIPSD_CLIENTS_MAX places for at most both timeouts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"

struct client {
	uv_pipe_t pipe;
	uv_timer_t timer;
	uv_write_t write;
	struct fipsd_control *c;
	struct client *next;
	char in[FIPSD_REQUEST_MAX + 1];
	size_t have;
	char *reply;
	int open_handles;
	bool answered;
	bool closing;
};

struct fipsd_control {
	uv_poll_t poll;
	int fd;
	char path[FIPS_PATH_SIZE];
	const struct fipsd_control_ops *ops;
	void *ctx;
	uint64_t timeout_ms;
	struct client *clients;
	size_t count;
	bool stopped;
	bool closed;
};

static void control_accept(struct fipsd_control *c);
static void on_connect(uv_poll_t *poll, int status, int events);

static void control_release(struct fipsd_control *c)
{
	if (c->closed && !c->clients)
		free(c);
}

static void client_unlink(struct client *cl)
{
	struct client **p;

	for (p = &cl->c->clients; *p; p = &(*p)->next)
		if (*p == cl) {
			*p = cl->next;
			cl->c->count--;
			return;
		}
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *cl = handle->data;
	struct fipsd_control *c = cl->c;

	if (--cl->open_handles)
		return;
	client_unlink(cl);
	free(cl->reply);
	free(cl);
	if (c->stopped)
		control_release(c);
	else
		uv_poll_start(&c->poll, UV_READABLE, on_connect);
}

static void client_close(struct client *cl)
{
	if (cl->closing)
		return;
	cl->closing = true;
	uv_close((uv_handle_t *)&cl->pipe, on_client_closed);
	uv_close((uv_handle_t *)&cl->timer, on_client_closed);
}

/* ---- reply ---- */

static void on_written(uv_write_t *req, int status)
{
	(void)status;
	client_close(req->data);
}

static void on_timeout(uv_timer_t *timer);

static void client_send(struct client *cl, char *line)
{
	uv_buf_t buf;

	uv_read_stop((uv_stream_t *)&cl->pipe);
	cl->answered = true;
	cl->reply = line;
	if (!line) {
		client_close(cl);
		return;
	}
	buf = uv_buf_init(line, (unsigned int)strlen(line));
	cl->write.data = cl;
	uv_timer_start(&cl->timer, on_timeout, cl->c->timeout_ms, 0);
	if (uv_write(&cl->write, (uv_stream_t *)&cl->pipe, &buf, 1, on_written))
		client_close(cl);
}

/* Failures need no JSON library: the message is escaped by it, though. */
static void client_fail(struct client *cl, const char *message)
{
	json_t *text = json_stringn_nocheck(message, strlen(message));
	char *quoted = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;
	char *line = NULL;

	if (quoted && asprintf(&line, "{\"status\":\"error\",\"message\":%s}\n", quoted) < 0)
		line = NULL;
	free(quoted);
	json_decref(text);
	client_send(cl, line);
}

static void client_ok(struct client *cl, json_t *data)
{
	char *text = json_dumps(data, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY);
	char *line = NULL;

	if (text && strlen(text) < FIPSD_REPLY_MAX &&
	    asprintf(&line, "{\"status\":\"ok\",\"data\":%s}\n", text) < 0)
		line = NULL;
	free(text);
	client_send(cl, line);
}

static void client_answer(struct client *cl, json_t *request)
{
	const json_t *command = json_object_get(request, "command");
	const json_t *params = json_object_get(request, "params");
	json_t *data = NULL;
	char why[512] = "failed";

	if (!json_is_string(command)) {
		client_fail(cl, "invalid request: missing field `command`");
		return;
	}
	if (json_is_null(params))
		params = NULL;
	if (cl->c->ops->command(cl->c->ctx, json_string_value(command), params, &data, why,
				sizeof(why)))
		client_fail(cl, why);
	else
		client_ok(cl, data);
	json_decref(data);
}

static void client_request(struct client *cl, const char *text, size_t len)
{
	char message[sizeof(((json_error_t *)0)->text) + 32];
	json_error_t err;
	json_t *request;

	request = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &err);
	if (json_is_object(request)) {
		client_answer(cl, request);
	} else if (!request && json_error_code(&err) == json_error_invalid_utf8) {
		client_fail(cl, "read error: stream did not contain valid UTF-8");
	} else {
		snprintf(message, sizeof(message), "invalid request: %s",
			 request ? "expected an object" : err.text);
		client_fail(cl, message);
	}
	json_decref(request);
}

/* ---- request ---- */

static void on_timeout(uv_timer_t *timer)
{
	struct client *cl = timer->data;

	if (cl->answered)
		client_close(cl);	/* it doesn't read */
	else
		client_fail(cl, "read timeout");
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct client *cl = handle->data;

	(void)suggested;
	*buf = uv_buf_init(cl->in + cl->have, (unsigned int)(sizeof(cl->in) - cl->have));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct client *cl = stream->data;
	char *newline;

	(void)buf;
	if (n == 0 || cl->answered)
		return;
	if (n < 0 && n != UV_EOF) {
		client_close(cl);
		return;
	}
	if (n > 0)
		cl->have += (size_t)n;
	newline = memchr(cl->in, '\n', cl->have);
	if (newline && newline - cl->in < FIPSD_REQUEST_MAX)
		client_request(cl, cl->in, (size_t)(newline - cl->in));
	else if (cl->have > FIPSD_REQUEST_MAX || newline)
		client_fail(cl, "read error: request too large");
	else if (n == UV_EOF && !cl->have)
		client_fail(cl, "empty request");
	else if (n == UV_EOF)
		client_request(cl, cl->in, cl->have);
}

/* ---- accept ---- */

static int client_new(struct fipsd_control *c, int fd)
{
	struct client *cl = calloc(1, sizeof(*cl));

	if (!cl)
		return -ENOMEM;
	cl->c = c;
	cl->pipe.data = cl;
	cl->timer.data = cl;
	uv_timer_init(c->poll.loop, &cl->timer);
	uv_pipe_init(c->poll.loop, &cl->pipe, 0);
	cl->open_handles = 2;
	cl->next = c->clients;
	c->clients = cl;
	c->count++;
	if (uv_pipe_open(&cl->pipe, fd)) {
		close(fd);
		client_close(cl);
		return 0;
	}
	uv_timer_start(&cl->timer, on_timeout, c->timeout_ms, 0);
	if (uv_read_start((uv_stream_t *)&cl->pipe, on_alloc, on_read))
		client_close(cl);
	return 0;
}

static void control_accept(struct fipsd_control *c)
{
	int fd;

	while (c->count < FIPSD_CLIENTS_MAX) {
		fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (fd < 0)
			return;
		if (client_new(c, fd)) {
			close(fd);
			return;
		}
	}
	/* Full house: the rest waits in the backlog until somebody leaves. */
	uv_poll_stop(&c->poll);
}

static void on_connect(uv_poll_t *poll, int status, int events)
{
	(void)events;
	if (!status)
		control_accept(poll->data);
}

int fipsd_control_listen(struct fipsd_control **out, uv_loop_t *loop, const char *path,
			 const struct fipsd_control_ops *ops, void *ctx, uint64_t timeout_ms,
			 char *why, size_t why_len)
{
	struct fipsd_control *c = calloc(1, sizeof(*c));
	int ret;

	if (!c)
		return -ENOMEM;
	c->fd = fips_socket_bind(path, why, why_len);
	if (c->fd < 0) {
		ret = c->fd;
		free(c);
		return ret;
	}
	snprintf(c->path, sizeof(c->path), "%s", path);
	c->ops = ops;
	c->ctx = ctx;
	c->timeout_ms = timeout_ms;
	ret = uv_poll_init(loop, &c->poll, c->fd);
	if (ret) {
		snprintf(why, why_len, "%s", uv_strerror(ret));
		close(c->fd);
		unlink(path);
		free(c);
		return ret;
	}
	c->poll.data = c;
	uv_poll_start(&c->poll, UV_READABLE, on_connect);
	*out = c;
	return 0;
}

size_t fipsd_control_clients(const struct fipsd_control *c)
{
	return c->count;
}

static void on_control_closed(uv_handle_t *handle)
{
	struct fipsd_control *c = handle->data;

	c->closed = true;
	control_release(c);
}

void fipsd_control_stop(struct fipsd_control *c)
{
	struct client *cl;

	c->stopped = true;
	for (cl = c->clients; cl; cl = cl->next)
		client_close(cl);
	uv_poll_stop(&c->poll);
	uv_close((uv_handle_t *)&c->poll, on_control_closed);
	close(c->fd);
	unlink(c->path);
}
