// SPDX-License-Identifier: MIT
/* The attacker's beginning and end, its clock and its pace. */
#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "foe.h"

#define BEAT_MS		800

_Noreturn void foe_die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("hostile: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

u64 foe_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000 + (u64)ts.tv_nsec / 1000;
}

u32 foe_random32(void)
{
	return randombytes_random();
}

void foe_random(void *buf, size_t len)
{
	randombytes_buf(buf, len);
}

static int rng_random(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	randombytes_buf(buf, len);
	return 0;
}

/* "IP:PORT NPUB" of a node of the arena. */
static void host_from_env(struct foe *f, struct foe_host *h, const char *name)
{
	const char *text = getenv(name), *npub;
	char endpoint[64];

	if (!text)
		return;
	npub = strchr(text, ' ');
	if (!npub || (size_t)(npub - text) >= sizeof(endpoint))
		foe_die("%s must be \"IP:PORT NPUB\"", name);
	memcpy(endpoint, text, (size_t)(npub - text));
	endpoint[npub - text] = '\0';
	if (!foe_parse_endpoint(&h->at, endpoint) ||
	    fips_identity_from_npub(&f->pk, npub + 1, strlen(npub + 1), &h->id) < 0)
		foe_die("%s: %s", name, text);
}

void foe_new_epoch(struct foe *f)
{
	foe_random(f->env.epoch, sizeof(f->env.epoch));
}

/* Somebody else: another key, another process. */
void foe_new_self(struct foe *f)
{
	if (f->self.secret)
		fips_keypair_destroy(&f->self);
	if (fips_keypair_generate(&f->self, &f->pk, f->secrets, &f->env.rng))
		foe_die("no key");
	foe_new_epoch(f);
	f->link.up = false;
	f->tree_seq = 0;
	f->filter_seq = 0;
}

/*
 * Environment: HOSTILE_VICTIM, HOSTILE_NEAR, HOSTILE_FAR, HOSTILE_GONE ("IP:PORT NPUB"),
 * HOSTILE_BIND ("IP:PORT" of the own socket), HOSTILE_TAP (interface to listen on).
 */
int foe_init(struct foe *f)
{
	const char *bind_to = getenv("HOSTILE_BIND"), *tap = getenv("HOSTILE_TAP");

	memset(f, 0, sizeof(*f));
	if (sodium_init() < 0)
		return -EIO;
	f->env.rng.random = rng_random;
	if (fips_pk_init(&f->pk, &f->env.rng) || fips_secrets_new(&f->secrets))
		return -ENOMEM;
	f->env.pk = &f->pk;
	f->env.secrets = f->secrets;
	f->env.self = &f->self;
	foe_new_self(f);
	host_from_env(f, &f->victim, "HOSTILE_VICTIM");
	host_from_env(f, &f->near, "HOSTILE_NEAR");
	host_from_env(f, &f->far, "HOSTILE_FAR");
	host_from_env(f, &f->gone, "HOSTILE_GONE");
	f->fd = foe_udp(bind_to ? bind_to : "0.0.0.0:0");
	f->raw = foe_raw_open();
	f->tap = tap ? foe_tap_open(tap) : -1;
	return f->fd < 0 ? f->fd : 0;
}

void foe_fini(struct foe *f)
{
	close(f->fd);
	if (f->raw >= 0)
		close(f->raw);
	if (f->tap >= 0)
		close(f->tap);
	fips_noise_keys_wipe(&f->link.keys);
	fips_keypair_destroy(&f->self);
	fips_secrets_destroy(f->secrets);
	fips_pk_destroy(&f->pk);
}

/*
 * From here on the victim is under attack; the runner reads when that was. What
 * was prepared before must not have taken its CPU away.
 */
void foe_begin(const struct foe *f)
{
	struct timespec ts;

	(void)f;
	setpriority(PRIO_PROCESS, 0, 0);
	clock_gettime(CLOCK_REALTIME, &ts);
	printf("begin %lld.%03ld\n", (long long)ts.tv_sec, ts.tv_nsec / 1000000);
	fflush(stdout);
}

struct foe_pace foe_pace(double seconds, u32 per_second)
{
	u64 now = foe_now_us();

	return (struct foe_pace){
		.end = now + (u64)(seconds * 1e6),
		.next = now,
		.step = 1000000 / per_second,
	};
}

static void beat(struct foe *f)
{
	const u8 heartbeat = FIPS_LINK_HEARTBEAT;

	if (!f->link.up || f->mute || foe_now() < f->link.next_beat)
		return;
	f->link.next_beat = foe_now() + BEAT_MS;
	foe_link_send(f, &heartbeat, 1);
}

static void drain(struct foe *f)
{
	u8 buf[FOE_FRAME];
	ssize_t n;
	int i;

	for (i = 0; i < 64; i++) {
		n = recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT);
		if (n <= 0)
			return;
		if (f->link.up)
			foe_link_receive(f, buf, (size_t)n);
	}
}

static void wait_us(struct foe *f, u64 us)
{
	struct pollfd p = { .fd = f->fd, .events = POLLIN };
	struct timespec ts = {
		.tv_sec = (time_t)(us / 1000000),
		.tv_nsec = (long)(us % 1000000) * 1000,
	};

	if (ppoll(&p, 1, &ts, NULL) > 0)
		drain(f);
}

/* Wait until the next step is due; false when the time is over. */
bool foe_pace_next(struct foe *f, struct foe_pace *p)
{
	u64 now = foe_now_us();

	drain(f);
	while (now < p->next && now < p->end) {
		beat(f);
		wait_us(f, p->next < p->end ? p->next - now : p->end - now);
		now = foe_now_us();
	}
	beat(f);
	/* Who has fallen behind catches up, but not by more than 50 ms. */
	p->next += p->step;
	if (p->next + 50000 < now)
		p->next = now;
	return now < p->end;
}

void foe_pump(struct foe *f, u64 ms)
{
	u64 end = foe_now() + ms, now;

	while ((now = foe_now()) < end) {
		beat(f);
		wait_us(f, (end - now < 20 ? end - now : 20) * 1000);
	}
}
