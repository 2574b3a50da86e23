// SPDX-License-Identifier: MIT
/*
 * The scripted peer.
 *
 *   hostile list                      name, class, counter, seconds, joins, what; tab-separated
 *   hostile attack NAME [SECONDS]     prints "begin TIME" and "end TIME"
 *   hostile tape FILE                 records handshakes until killed
 *   hostile join [NSEC]               becomes a neighbour; prints the milliseconds it took
 *
 * Environment: see foe_init().
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tape.h"

static const struct foe_attack *const tables[] = {
	foe_stranger_attacks, foe_flood_attacks, foe_peer_attacks,
	foe_tree_attacks, foe_mesh_attacks, foe_session_attacks,
};

static const struct foe_attack *find(const char *name)
{
	const struct foe_attack *a;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (a = tables[i]; a->name; a++)
			if (!strcmp(a->name, name))
				return a;
	return NULL;
}

static int cmd_list(void)
{
	const struct foe_attack *a;
	size_t i;

	for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (a = tables[i]; a->name; a++)
			printf("%s\t%s\t%s\t%u\t%d\t%s\n", a->name, a->class, a->counter, a->seconds,
			       a->joins, a->what);
	return 0;
}

static void print_end(const struct foe *f)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	printf("end %lld.%03ld\nsent %llu\n", (long long)ts.tv_sec, ts.tv_nsec / 1000000,
	       (unsigned long long)f->sent);
}

static int cmd_attack(struct foe *f, const char *name, const char *seconds)
{
	const struct foe_attack *a = find(name);

	if (!a)
		foe_die("no attack %s", name);
	a->run(f, seconds ? strtod(seconds, NULL) : a->seconds);
	print_end(f);
	return 0;
}

static void heard(struct foe *f, const u8 *msg, size_t len)
{
	(void)msg;
	(void)len;
	*(bool *)f->ctx = true;
}

/* In is who gets an authenticated frame back: a msg2 alone may lead to a forgotten candidate. */
static int cmd_join(struct foe *f, const char *nsec)
{
	u64 start = foe_now();
	bool in = false;
	u8 sec[32];

	if (nsec) {
		if (fips_secret_parse(&f->pk, nsec, strlen(nsec), sec) < 0)
			foe_die("no secret");
		fips_keypair_destroy(&f->self);
		if (fips_keypair_from_secret(&f->self, &f->pk, f->secrets, sec))
			foe_die("no key");
	}
	f->hear = heard;
	f->ctx = &in;
	while (!in && foe_now() - start < 20000) {
		u8 beat = FIPS_LINK_HEARTBEAT;
		int i;

		foe_join(f);
		foe_link_send(f, &beat, 1);
		for (i = 0; i < 10 && !in; i++)
			foe_pump(f, 50);
	}
	printf("%llu\n", (unsigned long long)(foe_now() - start));
	return in ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct foe f;
	int ret = 2;

	if (argc >= 2 && !strcmp(argv[1], "list"))
		return cmd_list();
	if (argc < 2 || foe_init(&f))
		foe_die("usage: hostile list | attack NAME [SECONDS] | tape FILE | join [NSEC]");
	if (!strcmp(argv[1], "attack") && argc >= 3)
		ret = cmd_attack(&f, argv[2], argc > 3 ? argv[3] : NULL);
	else if (!strcmp(argv[1], "join"))
		ret = cmd_join(&f, argc > 2 ? argv[2] : NULL);
	else if (!strcmp(argv[1], "tape") && argc == 3)
		tape_record(&f, argv[2]);
	foe_fini(&f);
	return ret;
}
