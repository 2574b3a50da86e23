// SPDX-License-Identifier: MIT
/*
 * wire [-s SEED] NAMESPACE... - the cables between network namespaces
 *
 * Makes an interface u0 in each namespace (the caller gives the Nth one the
 * address 10.79.0.N/24 and sets it up) and carries IPv4 packets between them.
 * Every direction of every cable has its own delay, jitter, losses, duplicates,
 * order and rate, every namespace its own policer. What netem, HTB and a
 * policer do, on kernels that lack them, and with losses that a seed decides.
 *
 * Standard input takes a command a line; the end of it ends the program:
 *
 *   link A B [KEY=VALUE...]   from A to B, anew: delay, jitter (ms, uniform),
 *                             loss, dup, reorder (percent), rate (kbit/s, 0: no
 *                             limit), queue (bytes that may wait for the rate)
 *   down A B 0|1              carry nothing from A to B
 *   police N RATE BURST       N takes RATE kbit/s, BURST bytes at once (0: all)
 *   count                     print "A B SENT LOST QUEUE POLICED DELIVERED" for
 *                             each direction that carried something, and "end"
 *
 * Packets keep their order but for those that "reorder" lets overtake. It says
 * "ready" when the interfaces are there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define NODES_MAX	64
#define WAITING_MAX	65536	/* packets under way in all */
#define FRAME_MAX	2048
#define BATCH		32
#define QUEUE_DEFAULT	65536

struct direction {
	long long delay_ns, jitter_ns, free_at, last_due;
	double loss, dup, reorder;	/* 0 to 1 */
	long long rate;			/* bit/s, or 0 */
	long long queue;		/* bytes */
	bool down;
	uint64_t random;
	unsigned long sent, lost, overflow, policed, delivered;
};

struct policer {
	long long rate, burst;		/* bit/s, bytes */
	double tokens;			/* bytes */
	long long at;
};

struct packet {
	long long due;
	unsigned long number;		/* among equals the first comes first */
	int from, to, len;
	unsigned char data[];
};

static struct direction cables[NODES_MAX][NODES_MAX];
static struct policer policers[NODES_MAX];
static int tuns[NODES_MAX], nodes;
static struct packet *heap[WAITING_MAX];
static int waiting;
static unsigned long packets;

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

/* xorshift64*: a generator for each direction, so that none disturbs another. */
static double draw(struct direction *d)
{
	d->random ^= d->random >> 12;
	d->random ^= d->random << 25;
	d->random ^= d->random >> 27;
	return (double)((d->random * 2685821657736338717ULL) >> 11) / (double)(1ULL << 53);
}

static void sow(uint64_t seed)
{
	struct direction *d;
	int a, b;

	for (a = 0; a < nodes; a++)
		for (b = 0; b < nodes; b++) {
			d = &cables[a][b];
			d->random = (seed * NODES_MAX + a + 1) * 0x9e3779b97f4a7c15ULL + b + 1;
			d->queue = QUEUE_DEFAULT;
		}
}

/* ---- packets under way */

static bool earlier(const struct packet *a, const struct packet *b)
{
	return a->due < b->due || (a->due == b->due && a->number < b->number);
}

static void swap(int i, int j)
{
	struct packet *p = heap[i];

	heap[i] = heap[j];
	heap[j] = p;
}

static void heap_push(struct packet *p)
{
	int i = waiting++;

	heap[i] = p;
	for (; i && earlier(heap[i], heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

static struct packet *heap_pop(void)
{
	struct packet *first = heap[0];
	int i = 0, least;

	heap[0] = heap[--waiting];
	for (;;) {
		least = i;
		if (2 * i + 1 < waiting && earlier(heap[2 * i + 1], heap[least]))
			least = 2 * i + 1;
		if (2 * i + 2 < waiting && earlier(heap[2 * i + 2], heap[least]))
			least = 2 * i + 2;
		if (least == i)
			return first;
		swap(i, least);
		i = least;
	}
}

static void enqueue(int from, int to, const unsigned char *data, int len, long long due)
{
	struct packet *p = waiting < WAITING_MAX ? malloc(sizeof(*p) + (size_t)len) : NULL;

	if (!p) {
		cables[from][to].overflow++;
		return;
	}
	p->due = due;
	p->number = packets++;
	p->from = from;
	p->to = to;
	p->len = len;
	memcpy(p->data, data, (size_t)len);
	heap_push(p);
}

/* When a packet that comes now is through the rate limit; -1: no room left. */
static long long through_rate(struct direction *d, int len, long long now)
{
	long long start = d->free_at > now ? d->free_at : now;

	if (!d->rate)
		return now;
	if ((double)(start - now) * (double)d->rate / 8e9 + len > (double)d->queue)
		return -1;
	d->free_at = start + (long long)(len * 8e9 / (double)d->rate);
	return d->free_at;
}

static void carry(int from, int to, const unsigned char *data, int len, long long now)
{
	struct direction *d = &cables[from][to];
	long long due;

	d->sent++;
	if (d->down || draw(d) < d->loss) {
		d->lost++;
		return;
	}
	due = through_rate(d, len, now);
	if (due < 0) {
		d->overflow++;
		return;
	}
	if (draw(d) >= d->reorder) {
		due += d->delay_ns + (long long)((draw(d) * 2 - 1) * (double)d->jitter_ns);
		if (due < d->last_due)
			due = d->last_due;
		d->last_due = due;
	}
	enqueue(from, to, data, len, due);
	if (draw(d) < d->dup)
		enqueue(from, to, data, len, due);
}

static bool police(struct policer *p, int len, long long now)
{
	if (!p->rate)
		return true;
	p->tokens += (double)(now - p->at) * (double)p->rate / 8e9;
	if (p->tokens > (double)p->burst)
		p->tokens = (double)p->burst;
	p->at = now;
	if (p->tokens < len)
		return false;
	p->tokens -= len;
	return true;
}

static void deliver(long long now)
{
	while (waiting && heap[0]->due <= now) {
		struct packet *p = heap_pop();
		struct direction *d = &cables[p->from][p->to];

		if (!police(&policers[p->to], p->len, now))
			d->policed++;
		else if (write(tuns[p->to], p->data, (size_t)p->len) == p->len)
			d->delivered++;
		free(p);
	}
}

/* Take in what a namespace sends: IPv4 to 10.79.0.N. */
static void take(int from, long long now)
{
	unsigned char data[FRAME_MAX];
	int i, len, to;

	for (i = 0; i < BATCH; i++) {
		len = (int)read(tuns[from], data, sizeof(data));
		if (len < 20)
			return;
		to = data[19] - 1;
		if (data[0] >> 4 == 4 && data[16] == 10 && data[17] == 79 && !data[18] &&
		    to >= 0 && to < nodes && to != from)
			carry(from, to, data, len, now);
	}
}

/* ---- commands */

static void set_key(struct direction *d, const char *key, double value)
{
	if (!strcmp(key, "delay"))
		d->delay_ns = (long long)(value * 1e6);
	else if (!strcmp(key, "jitter"))
		d->jitter_ns = (long long)(value * 1e6);
	else if (!strcmp(key, "loss"))
		d->loss = value / 100;
	else if (!strcmp(key, "dup"))
		d->dup = value / 100;
	else if (!strcmp(key, "reorder"))
		d->reorder = value / 100;
	else if (!strcmp(key, "rate"))
		d->rate = (long long)(value * 1000);
	else if (!strcmp(key, "queue"))
		d->queue = (long long)value;
	else
		fprintf(stderr, "wire: no key %s\n", key);
}

static void set_link(struct direction *d, char *words)
{
	struct direction old = *d;
	char *word, *value, *rest;

	*d = (struct direction) {
		.queue = QUEUE_DEFAULT, .last_due = old.last_due, .random = old.random,
		.down = old.down, .sent = old.sent, .lost = old.lost, .overflow = old.overflow,
		.policed = old.policed, .delivered = old.delivered,
	};
	for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		value = strchr(word, '=');
		if (value) {
			*value = '\0';
			set_key(d, word, strtod(value + 1, NULL));
		}
	}
}

static void print_counts(void)
{
	int a, b;

	for (a = 0; a < nodes; a++)
		for (b = 0; b < nodes; b++) {
			const struct direction *d = &cables[a][b];

			if (d->sent)
				printf("%d %d %lu %lu %lu %lu %lu\n", a + 1, b + 1, d->sent,
				       d->lost, d->overflow, d->policed, d->delivered);
		}
	printf("end\n");
	fflush(stdout);
}

static bool is_node(int n)
{
	return n >= 1 && n <= nodes;
}

static void command(char *line)
{
	int a, b, on, used = 0;
	double rate, burst;

	if (sscanf(line, "link %d %d %n", &a, &b, &used) == 2 && is_node(a) && is_node(b))
		set_link(&cables[a - 1][b - 1], line + used);
	else if (sscanf(line, "down %d %d %d", &a, &b, &on) == 3 && is_node(a) && is_node(b))
		cables[a - 1][b - 1].down = on;
	else if (sscanf(line, "police %d %lf %lf", &a, &rate, &burst) == 3 && is_node(a))
		policers[a - 1] = (struct policer) {
			.rate = (long long)(rate * 1000), .burst = (long long)burst,
			.tokens = burst, .at = now_ns() };
	else if (!strcmp(line, "count"))
		print_counts();
	else
		fprintf(stderr, "wire: what is \"%s\"?\n", line);
}

/* Whole lines of standard input. Return: false at its end. */
static bool commands(void)
{
	static char buf[65536];
	static size_t len;
	ssize_t got = read(STDIN_FILENO, buf + len, sizeof(buf) - 1 - len);
	char *line = buf, *end;

	if (got <= 0)
		return got < 0 && errno == EINTR;
	len += (size_t)got;
	buf[len] = '\0';
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		command(line);
	}
	len -= (size_t)(line - buf);
	memmove(buf, line, len);
	return len < sizeof(buf) - 1;
}

/* ---- set-up */

static int tun_open(const char *name)
{
	struct ifreq ifr = { .ifr_name = "u0", .ifr_flags = IFF_TUN | IFF_NO_PI };
	char path[128];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0)
		return -1;
	if (setns(ns, CLONE_NEWNET)) {
		close(ns);
		return -1;
	}
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		return -1;
	return fd;
}

static void loop(void)
{
	struct pollfd fds[NODES_MAX + 1];
	struct timespec wait;
	long long now, left;
	int i;

	for (i = 0; i < nodes; i++)
		fds[i] = (struct pollfd){ .fd = tuns[i], .events = POLLIN };
	fds[nodes] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	for (;;) {
		now = now_ns();
		left = waiting ? heap[0]->due - now : 1000000000;
		if (left < 0)
			left = 0;
		wait.tv_sec = left / 1000000000;
		wait.tv_nsec = left % 1000000000;
		if (ppoll(fds, (nfds_t)nodes + 1, &wait, NULL) < 0 && errno != EINTR)
			return;
		now = now_ns();
		for (i = 0; i < nodes; i++)
			if (fds[i].revents & POLLIN)
				take(i, now);
		deliver(now);
		if (fds[nodes].revents && !commands())
			return;
	}
}

int main(int argc, char **argv)
{
	uint64_t seed = 1;
	int i = 1;

	if (argc > 2 && !strcmp(argv[1], "-s")) {
		seed = strtoull(argv[2], NULL, 0);
		i = 3;
	}
	if (i >= argc || argc - i > NODES_MAX) {
		fprintf(stderr, "usage: wire [-s SEED] NAMESPACE... (at most %d)\n", NODES_MAX);
		return 2;
	}
	for (; i < argc; i++, nodes++) {
		tuns[nodes] = tun_open(argv[i]);
		if (tuns[nodes] < 0) {
			fprintf(stderr, "wire: %s: %s\n", argv[i], strerror(errno));
			return 1;
		}
	}
	sow(seed);
	printf("ready\n");
	fflush(stdout);
	loop();
	return 0;
}
