// SPDX-License-Identifier: MIT
/*
 * The event log: everything that happens goes into a digest, so that two runs
 * can be compared without writing either, and into a readable line if wanted.
 */
#include <inttypes.h>

#include "sim.h"

static const char *const note_names[SIM_NOTES] = {
	[SIM_NOTE_START] = "start",
	[SIM_NOTE_STOP] = "stop",
	[SIM_NOTE_TIMER] = "timer",
	[SIM_NOTE_EVENT] = "event",
	[SIM_NOTE_EVENT_LOST] = "event-lost",
	[SIM_NOTE_OP] = "op",
	[SIM_NOTE_SEND] = "send",
	[SIM_NOTE_RECV] = "recv",
	[SIM_NOTE_LOSS] = "loss",
	[SIM_NOTE_PING] = "packet",
	[SIM_NOTE_DELIVERY] = "delivery",
	[SIM_NOTE_REPLY] = "reply",
	[SIM_NOTE_REFUSED] = "refused",
	[SIM_NOTE_LOG] = "log",
	[SIM_NOTE_FAULT] = "fault",
	[SIM_NOTE_CHECK] = "check",
};

static u64 note_mix(u64 h, u64 v)
{
	h = (h ^ v) * UINT64_C(0x9fb21c651e98df25);
	return h ^ h >> 32;
}

/* Independent of the host's byte order. */
static u64 note_bytes(const u8 *p, size_t len)
{
	u64 h = len;

	for (; len >= 8; p += 8, len -= 8)
		h = note_mix(h, fips_get_le64(p));
	while (len--)
		h = note_mix(h, *p++);
	return h;
}

static void note_begin(struct sim *s, u32 node)
{
	FILE *f = s->log.out;

	fprintf(f, "%" PRIu64 ".%06" PRIu64, s->now / SIM_SEC, s->now % SIM_SEC);
	if (node == SIM_NOBODY)
		fprintf(f, " -");
	else
		fprintf(f, " n%u", node);
}

/* A line of a node's log; nodes are called by their numbers, npubs say little. */
static void note_text(const struct sim *s, const char *text, size_t len)
{
	const size_t npub = sizeof(s->nodes->kp.id.npub) - 1;
	const char *end = text + len, *at;
	u32 i;

	for (; text < end && (at = memmem(text, (size_t)(end - text), "npub1", 5)); text = at) {
		fwrite(text, 1, (size_t)(at - text), s->log.out);
		for (i = 0; i < s->n_nodes; i++)
			if ((size_t)(end - at) >= npub && !memcmp(at, s->nodes[i].kp.id.npub, npub))
				break;
		if (i == s->n_nodes) {
			fwrite(at, 1, 5, s->log.out);
			at += 5;
			continue;
		}
		fprintf(s->log.out, "n%u", i);
		at += npub;
	}
	fwrite(text, 1, (size_t)(end - text), s->log.out);
}

static void note_write(struct sim *s, enum sim_note what, u32 node, u64 a, u64 b,
		       const void *bytes, size_t len, u64 h)
{
	FILE *f = s->log.out;

	note_begin(s, node);
	fprintf(f, " %s", note_names[what]);
	switch (what) {
	case SIM_NOTE_LOG:
	case SIM_NOTE_FAULT:
		fputc(' ', f);
		note_text(s, bytes, len);
		fputc('\n', f);
		return;
	case SIM_NOTE_OP:
	case SIM_NOTE_EVENT:
	case SIM_NOTE_EVENT_LOST:
		fprintf(f, " %.*s %" PRId64 " %" PRId64 "\n", (int)len, (const char *)bytes,
			(s64)a, (s64)b);
		return;
	case SIM_NOTE_LOSS:
		fprintf(f, " to n%" PRIu64 " %s\n", a, sim_loss_names[b]);
		return;
	default:
		fprintf(f, " %" PRIu64 " %" PRIu64, a, b);
		if (len)
			fprintf(f, " #%016" PRIx64, h);
		fputc('\n', f);
	}
}

void sim_note(struct sim *s, enum sim_note what, u32 node, u64 a, u64 b, const void *bytes,
	      size_t len)
{
	u64 h = len ? note_bytes(bytes, len) : 0;
	struct sim_log *l = &s->log;

	l->count++;
	l->h[0] = note_mix(l->h[0], s->now);
	l->h[1] = note_mix(l->h[1], (u64)what << 32 | node);
	l->h[0] = note_mix(l->h[0], a);
	l->h[1] = note_mix(l->h[1], b);
	l->h[0] = note_mix(l->h[0] + l->h[1], h);
	if (l->out)
		note_write(s, what, node, a, b, bytes, len, h);
}

void sim_note_drop(struct sim_node *n, const char *why)
{
	note_begin(n->sim, n->idx);
	fprintf(n->sim->log.out, " drops %s\n", why);
}
