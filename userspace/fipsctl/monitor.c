// SPDX-License-Identifier: MIT
/*
 * fipsctl monitor: what changes, as it changes. It asks twice a second and tells
 * the difference, so that it works with every data plane and every daemon that
 * has the control socket.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fipsctl.h"
#include "reply.h"

#define PERIOD_MS	500

/* A list of a reply, and how its entries are known and told. */
static const struct watched {
	const char *command;
	const char *list;
	const char *key;
	const char *state;	/* member whose change is told, or NULL */
	const char *what;
} watched[] = {
	{ "show_peers", "peers", "npub", "connectivity", "peer" },
	{ "show_links", "links", "link_id", "state", "link" },
	{ "show_sessions", "sessions", "remote_addr", "state", "session" },
	{ "show_connections", "connections", "link_id", "handshake_state", "handshake" },
	{ "show_transports", "transports", "transport_id", "state", "transport" },
};

#define WATCHED	(sizeof(watched) / sizeof(watched[0]))

static volatile sig_atomic_t ended;

static void on_signal(int sig)
{
	(void)sig;
	ended = 1;
}

static const char *name_of(const json_t *obj, char *buf, size_t size)
{
	const char *name = json_string_value(json_object_get(obj, "display_name"));

	if (!name)
		name = json_string_value(json_object_get(obj, "remote_addr"));
	if (!name)
		name = json_string_value(json_object_get(obj, "local_addr"));
	snprintf(buf, size, "%s", name ? name : "-");
	return buf;
}

static void tell(const struct fipsctl *ctl, const char *what, const char *event, const json_t *obj)
{
	struct timespec ts;
	char stamp[32], name[128];
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (ctl->json) {
		json_t *line = json_pack("{s:I, s:s, s:s, s:O}", "at_ms",
					 (json_int_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000,
					 "object", what, "event", event, "now", obj);

		json_dumpf(line, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(line);
	} else {
		localtime_r(&ts.tv_sec, &tm);
		strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
		printf("%s.%03ld  %-9s %-12s %s\n", stamp, ts.tv_nsec / 1000000, what, event,
		       name_of(obj, name, sizeof(name)));
	}
	fflush(stdout);
}

static json_t *find(const json_t *list, const char *key, const json_t *like)
{
	json_t *e;
	size_t i;

	json_array_foreach(list, i, e)
		if (json_equal(json_object_get(e, key), json_object_get(like, key)))
			return e;
	return NULL;
}

static void compare(const struct fipsctl *ctl, const struct watched *w, const json_t *old,
		    const json_t *now)
{
	json_t *e, *before;
	size_t i;

	json_array_foreach(old, i, e)
		if (!find(now, w->key, e))
			tell(ctl, w->what, "gone", e);
	json_array_foreach(now, i, e) {
		before = find(old, w->key, e);
		if (!before)
			tell(ctl, w->what, str(e, w->state), e);
		else if (strcmp(str(before, w->state), str(e, w->state)))
			tell(ctl, w->what, str(e, w->state), e);
	}
}

/* The tree has no list: root and parent. */
static void compare_tree(const struct fipsctl *ctl, const json_t *old, const json_t *now)
{
	bool root = json_is_true(json_object_get(now, "is_root"));
	char text[80];
	json_t *obj;

	if (!strcmp(str(old, "root"), str(now, "root")) &&
	    !strcmp(str(old, "parent"), str(now, "parent")))
		return;
	snprintf(text, sizeof(text), "%s, root %.8s", root ? "root" :
		 str(now, "parent_display_name"), str(now, "root"));
	obj = json_pack("{s:s, s:O, s:O}", "display_name", text, "root",
			json_object_get(now, "root"), "parent", json_object_get(now, "parent"));
	tell(ctl, "tree", "parent", obj);
	json_decref(obj);
}

static bool look(const struct fipsctl *ctl, json_t **lists, json_t **tree, bool first)
{
	json_t *reply, *list;
	size_t i;

	for (i = 0; i < WATCHED; i++) {
		reply = fipsctl_request(ctl, watched[i].command, NULL);
		if (!reply)
			return false;
		list = json_incref(json_object_get(reply, watched[i].list));
		json_decref(reply);
		if (!first)
			compare(ctl, &watched[i], lists[i], list);
		json_decref(lists[i]);
		lists[i] = list;
	}
	reply = fipsctl_request(ctl, "show_tree", NULL);
	if (!reply)
		return false;
	if (!first)
		compare_tree(ctl, *tree, reply);
	json_decref(*tree);
	*tree = reply;
	return true;
}

int fipsctl_monitor(const struct fipsctl *ctl, int argc, char **argv)
{
	struct timespec period = { .tv_nsec = PERIOD_MS * 1000000L };
	struct sigaction sa = { .sa_handler = on_signal };
	json_t *lists[WATCHED] = { NULL }, *tree = NULL;
	bool first = true, ok = true;
	size_t i;

	if (argc)
		return fipsctl_usage("unexpected argument", argv[0]);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	while (!ended && (ok = look(ctl, lists, &tree, first))) {
		first = false;
		nanosleep(&period, NULL);
	}
	for (i = 0; i < WATCHED; i++)
		json_decref(lists[i]);
	json_decref(tree);
	return ok || ended ? 0 : FIPSCTL_FAILED;
}
