// SPDX-License-Identifier: MIT
/*
 * The control socket: framing, limits, slow and rude clients, permissions,
 * leftovers (spec 13 §3-§4).
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "fipsd/control.h"

#define TIMEOUT_MS	250
#define REPLY_SIZE	(64 * 1024)
#define BIG		(1024 * 1024)

/* A server with commands that show what reached them. */
struct world {
	uv_loop_t loop;
	struct fipsd_control *c;
	char dir[32];
	char path[64];
	unsigned int commands;
	char reply[REPLY_SIZE];
};

static int answer(void *ctx, const char *name, const json_t *params, json_t **data, char *why,
		  size_t why_len)
{
	struct world *w = ctx;

	w->commands++;
	if (!strcmp(name, "echo")) {
		*data = json_pack("{s:s, s:f, s:O?}", "name", name, "a_float", 0.0, "params",
				  (json_t *)params);
		return 0;
	}
	if (!strcmp(name, "big")) {
		char *text = malloc(BIG);

		assert_non_null(text);
		memset(text, 'x', BIG);
		*data = json_stringn(text, BIG);
		free(text);
		return 0;
	}
	snprintf(why, why_len, "unknown command: %.50s", name);
	return -1;
}

static const struct fipsd_control_ops ops = { .command = answer };

static int listen_at(struct world *w, struct fipsd_control **c)
{
	char why[256] = "";
	int ret = fipsd_control_listen(c, &w->loop, w->path, &ops, w, TIMEOUT_MS, why, sizeof(why));

	if (ret)
		assert_string_not_equal(why, "");
	return ret;
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	strcpy(w->dir, "/tmp/fips-control-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/sub/control.sock", w->dir);
	assert_int_equal(listen_at(w, &w->c), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char sub[64];

	if (w->c)
		fipsd_control_stop(w->c);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);	/* no handle is left */
	assert_int_equal(access(w->path, F_OK), -1);	/* nor the socket */
	snprintf(sub, sizeof(sub), "%s/sub", w->dir);
	rmdir(sub);
	assert_int_equal(rmdir(w->dir), 0);
	free(w);
	return 0;
}

static int client(struct world *w)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", w->path);
	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void put(int fd, const char *data, size_t len)
{
	assert_int_equal(send(fd, data, len, MSG_NOSIGNAL), len);
}

/* Run the server until the client has read everything. */
static const char *get(struct world *w, int fd)
{
	size_t have = 0;
	ssize_t n = -1;
	int turns = 0;

	while (n && ++turns < 1000000) {
		uv_run(&w->loop, UV_RUN_NOWAIT);
		n = recv(fd, w->reply + have, sizeof(w->reply) - 1 - have, 0);
		if (n > 0)
			have += (size_t)n;
		else if (n < 0 && errno == ECONNRESET)
			break;
	}
	w->reply[have] = '\0';
	close(fd);
	return w->reply;
}

static const char *ask(struct world *w, const char *text, size_t len, bool half_close)
{
	int fd = client(w);

	put(fd, text, len);
	if (half_close)
		shutdown(fd, SHUT_WR);
	return get(w, fd);
}

#define ASK(w, text)	ask(w, text, strlen(text), false)
#define ASK_EOF(w, text)	ask(w, text, strlen(text), true)

static void test_framing(void **state)
{
	struct world *w = *state;
	static const char want[] =
		"{\"status\":\"ok\",\"data\":{\"a_float\":0.0,\"name\":\"echo\","
		"\"params\":null}}\n";

	/* At the newline, without waiting for the end of input */
	assert_string_equal(ASK(w, "{\"command\":\"echo\"}\n"), want);
	assert_string_equal(ASK_EOF(w, "{\"command\":\"echo\"}\n"), want);
	assert_string_equal(ASK_EOF(w, "{\"command\":\"echo\"}"), want);
	assert_string_equal(ASK(w, "{\"command\":\"echo\"}\r\n"), want);
	/* What follows the newline is not looked at. */
	assert_string_equal(ASK(w, "{\"command\":\"echo\"}\n{\"command\":\"big\"}\n"), want);
	assert_string_equal(ASK(w, "{\"params\":null,\"x\":1,\"command\":\"echo\"}\n"), want);
	ASK(w, "{\"command\":\"echo\",\"params\":[1]}\n");
	assert_non_null(strstr(w->reply, "\"params\":[1]"));
}

static void test_byte_by_byte(void **state)
{
	static const char text[] = "{\"command\":\"echo\"}\n";
	struct world *w = *state;
	int fd = client(w), i;

	for (i = 0; text[i]; i++) {
		put(fd, text + i, 1);
		uv_run(&w->loop, UV_RUN_NOWAIT);
		assert_int_equal(w->commands, !text[i + 1]);
	}
	assert_non_null(strstr(get(w, fd), "\"status\":\"ok\""));
}

static void test_errors(void **state)
{
	static const struct {
		const char *request;
		const char *reply;
	} cases[] = {
		{ "", "{\"status\":\"error\",\"message\":\"empty request\"}\n" },
		{ "\n", "\"message\":\"invalid request: " },
		{ "   \n", "\"message\":\"invalid request: " },
		{ "garbage\n", "\"message\":\"invalid request: " },
		{ "{\"command\":\n", "\"message\":\"invalid request: " },
		{ "[]\n", "\"message\":\"invalid request: " },
		{ "{}\n", "\"message\":\"invalid request: " },
		{ "{\"command\":3}\n", "\"message\":\"invalid request: " },
		{ "{\"command\":\"echo\"}x\n", "\"message\":\"invalid request: " },
		{ "{\"command\":\"echo\",\"command\":\"echo\"}\n",
		  "\"message\":\"invalid request: " },
		{ "{\"command\":\"\xff\"}\n", "\"message\":\"read error: " },
		{ "{\"command\":\"dance\"}\n",
		  "{\"status\":\"error\",\"message\":\"unknown command: dance\"}\n" },
		{ "{\"command\":\"a\\\"b\"}\n", "\"message\":\"unknown command: a\\\"b\"" },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *reply = ASK_EOF(w, cases[i].request);

		if (!strstr(reply, cases[i].reply))
			fprintf(stderr, "%s -> %s\n", cases[i].request, reply);
		assert_non_null(strstr(reply, cases[i].reply));
		assert_int_equal(reply[strlen(reply) - 1], '\n');
	}
	assert_int_equal(w->commands, 2);
}

/* 4,096 bytes with the newline, and not one more. */
static void test_size(void **state)
{
	struct world *w = *state;
	char text[FIPSD_REQUEST_MAX + 8];

	memset(text, ' ', sizeof(text));
	memcpy(text, "{\"command\":\"echo\"}", 18);
	text[FIPSD_REQUEST_MAX - 1] = '\n';
	assert_non_null(strstr(ask(w, text, FIPSD_REQUEST_MAX, false), "\"ok\""));
	assert_non_null(strstr(ask(w, text, FIPSD_REQUEST_MAX - 1, true), "\"ok\""));
	text[FIPSD_REQUEST_MAX - 1] = ' ';
	text[FIPSD_REQUEST_MAX] = '\n';
	assert_string_equal(ask(w, text, FIPSD_REQUEST_MAX + 1, false),
			    "{\"status\":\"error\",\"message\":\"read error: request too large\"}\n");
	text[FIPSD_REQUEST_MAX] = ' ';
	assert_non_null(strstr(ask(w, text, sizeof(text), false), "too large"));
}

/* A client that says too little, and one that reads nothing. */
static void test_slow_clients(void **state)
{
	struct world *w = *state;
	int silent = client(w), deaf = client(w), n;
	char byte;

	put(silent, "{\"comm", 6);
	put(deaf, "{\"command\":\"big\"}\n", 18);
	assert_string_equal(get(w, silent),
			    "{\"status\":\"error\",\"message\":\"read timeout\"}\n");
	/* Its timer ends it: what the socket took is all there will be. */
	for (n = 0; n < 500; n++) {
		uv_run(&w->loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	for (n = 0; recv(deaf, &byte, 1, 0) == 1 && n < BIG; n++)
		;
	assert_true(n < BIG);
	assert_int_equal(recv(deaf, &byte, 1, 0), 0);
	close(deaf);
}

static void test_big_reply(void **state)
{
	struct world *w = *state;
	int fd = client(w);
	size_t total = 0;
	ssize_t n = -1;

	put(fd, "{\"command\":\"big\"}\n", 18);
	while (n) {
		uv_run(&w->loop, UV_RUN_NOWAIT);
		n = recv(fd, w->reply, sizeof(w->reply), 0);
		total += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	assert_int_equal(total, BIG + strlen("{\"status\":\"ok\",\"data\":\"\"}\n"));
}

/* More than there are places: the rest waits its turn, and gets it. */
static void test_crowd(void **state)
{
	struct world *w = *state;
	int idle[FIPSD_CLIENTS_MAX], late, i;

	for (i = 0; i < FIPSD_CLIENTS_MAX; i++) {
		idle[i] = client(w);
		uv_run(&w->loop, UV_RUN_NOWAIT);
	}
	late = client(w);
	put(late, "{\"command\":\"echo\"}\n", 19);
	for (i = 0; i < 20; i++)
		uv_run(&w->loop, UV_RUN_NOWAIT);
	assert_int_equal(w->commands, 0);
	close(idle[0]);
	assert_non_null(strstr(get(w, late), "\"ok\""));
	for (i = 1; i < FIPSD_CLIENTS_MAX; i++)
		close(idle[i]);
	assert_non_null(strstr(ASK(w, "{\"command\":\"echo\"}\n"), "\"ok\""));
}

static void test_rude_clients(void **state)
{
	struct world *w = *state;
	int i, fd;

	for (i = 0; i < 100; i++) {
		fd = client(w);
		if (i & 1)
			put(fd, "{\"command\":\"big\"}\n", 18);
		if (i & 2)
			uv_run(&w->loop, UV_RUN_NOWAIT);
		close(fd);
	}
	assert_non_null(strstr(ASK(w, "{\"command\":\"echo\"}\n"), "\"ok\""));
}

static void test_stop_with_clients(void **state)
{
	struct world *w = *state;
	int a = client(w), b = client(w);

	put(b, "{\"command\":\"big\"}\n", 18);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	uv_run(&w->loop, UV_RUN_NOWAIT);
	fipsd_control_stop(w->c);
	w->c = NULL;
	uv_run(&w->loop, UV_RUN_DEFAULT);
	close(a);
	close(b);
}

static void test_permissions(void **state)
{
	struct world *w = *state;
	char sub[64];
	struct stat st;

	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0770);
	snprintf(sub, sizeof(sub), "%s/sub", w->dir);
	assert_int_equal(stat(sub, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);	/* made by the bind */
}

static void test_leftovers(void **state)
{
	struct world *w = *state;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct fipsd_control *second;
	struct stat st;
	int fd;

	/* Somebody lives there. */
	assert_int_equal(listen_at(w, &second), -EADDRINUSE);
	fipsd_control_stop(w->c);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	w->c = NULL;
	/* Somebody died there. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", w->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	close(fd);
	assert_int_equal(listen_at(w, &w->c), 0);
	assert_non_null(strstr(ASK(w, "{\"command\":\"echo\"}\n"), "\"ok\""));
	fipsd_control_stop(w->c);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	w->c = NULL;
	/* A file of somebody else's stays. */
	fd = open(w->path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	assert_int_equal(listen_at(w, &second), -EEXIST);
	assert_int_equal(stat(w->path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	unlink(w->path);
	/* No room for a name. */
	memset(w->path, 'x', sizeof(w->path) - 1);
	w->path[0] = '\0';
	assert_int_equal(listen_at(w, &second), -ENAMETOOLONG);
	snprintf(w->path, sizeof(w->path), "%s/sub/control.sock", w->dir);
}

int main(void)
{
#define T(f)	cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_framing), T(test_byte_by_byte), T(test_errors), T(test_size),
		T(test_slow_clients), T(test_big_reply), T(test_crowd), T(test_rude_clients),
		T(test_stop_with_clients), T(test_permissions), T(test_leftovers),
	};

	signal(SIGPIPE, SIG_IGN);	/* as the daemon does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
