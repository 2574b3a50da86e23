// SPDX-License-Identifier: MIT
/* One request, one reply (spec 13 §4, §9). */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "fipsctl.h"

#define TIMEOUT_SECS	5
#define REPLY_MAX	(32 * 1024 * 1024)

static int connect_daemon(const char *path)
{
	struct timeval tv = { .tv_sec = TIMEOUT_SECS };
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(sun.sun_path)) {
		fprintf(stderr, "fipsctl: socket path %s is too long\n", path);
		return -1;
	}
	strcpy(sun.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		perror("fipsctl: socket");
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (!connect(fd, (struct sockaddr *)&sun, sizeof(sun)))
		return fd;
	fprintf(stderr, "fipsctl: cannot connect to %s: %s\n", path, strerror(errno));
	fprintf(stderr, "%s\n", errno == EACCES ? "Is this user a member of the group fips?" :
		"Is fipsd running? Another socket is named with -s PATH.");
	close(fd);
	return -1;
}

static bool send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return !shutdown(fd, SHUT_WR);
}

/* Up to the end of input; NUL-terminated. */
static char *receive_all(int fd, size_t *len)
{
	size_t room = 64 * 1024;
	char *buf = malloc(room);
	ssize_t n = 0;

	*len = 0;
	while (buf && *len < REPLY_MAX) {
		if (room - *len < 2) {
			char *more = realloc(buf, 2 * room);

			if (!more)
				break;
			buf = more;
			room *= 2;
		}
		n = recv(fd, buf + *len, room - *len - 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		*len += (size_t)n;
	}
	if (!buf || n < 0) {
		fprintf(stderr, "fipsctl: no reply: %s\n",
			errno == EAGAIN ? "the daemon is silent" : strerror(errno));
		free(buf);
		return NULL;
	}
	return buf;
}

static json_t *take_reply(json_t *reply)
{
	const char *status = json_string_value(json_object_get(reply, "status"));
	const char *message = json_string_value(json_object_get(reply, "message"));
	json_t *data = json_object_get(reply, "data");

	if (!status || strcmp(status, "ok")) {
		fprintf(stderr, "error: %s\n", message ? message : "the reply makes no sense");
		json_decref(reply);
		return NULL;
	}
	if (!data)
		return reply;
	json_incref(data);
	json_decref(reply);
	return data;
}

/*
 * J writes 2^64 - 1 where it knows no distance, which jansson can't hold: then all
 * numbers of that reply are read as reals.
 */
static json_t *parse_reply(const char *text, size_t len, json_error_t *err)
{
	json_t *reply = json_loadb(text, len, 0, err);

	if (!reply && json_error_code(err) == json_error_numeric_overflow)
		reply = json_loadb(text, len, JSON_DECODE_INT_AS_REAL, err);
	return reply;
}

static json_t *exchange(int fd, const char *request)
{
	json_error_t err;
	json_t *reply;
	char *text;
	size_t len;

	if (!send_all(fd, request, strlen(request))) {
		fprintf(stderr, "fipsctl: cannot send: %s\n", strerror(errno));
		return NULL;
	}
	text = receive_all(fd, &len);
	if (!text)
		return NULL;
	reply = parse_reply(text, len, &err);
	free(text);
	if (!reply) {
		fprintf(stderr, "fipsctl: the reply is no JSON: %s\n", err.text);
		return NULL;
	}
	return take_reply(reply);
}

json_t *fipsctl_request(const struct fipsctl *ctl, const char *command, json_t *params)
{
	json_t *request = json_pack("{s:s}", "command", command), *data;
	char *text, *line = NULL;
	int fd;

	if (params)
		json_object_set_new(request, "params", params);
	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (!text || asprintf(&line, "%s\n", text) < 0) {
		free(text);
		return NULL;
	}
	free(text);
	fd = connect_daemon(ctl->socket);
	data = fd < 0 ? NULL : exchange(fd, line);
	if (fd >= 0)
		close(fd);
	free(line);
	return data;
}

void fipsctl_print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	putchar('\n');
}
