// SPDX-License-Identifier: MIT
/* A stranger on the path writes handshakes down, to replay them later. */
#include <stdio.h>
#include <stdlib.h>

#include "tape.h"

static bool is_handshake(const struct foe_packet *p)
{
	return (p->len == FIPS_MSG1_LEN && p->data[0] == FIPS_FMP_MSG1) ||
	       (p->len == FIPS_MSG2_LEN && p->data[0] == FIPS_FMP_MSG2);
}

void tape_record(struct foe *f, const char *file)
{
	FILE *out = fopen(file, "w");
	struct foe_packet p;

	if (!out)
		foe_die("can't write %s", file);
	while (foe_tap_next(f, &p, FIPS_COUNTER_NEVER)) {
		struct tape_entry e = { .from = p.from, .to = p.to, .len = (u32)p.len };

		if (!is_handshake(&p))
			continue;
		memcpy(e.data, p.data, p.len);
		fwrite(&e, sizeof(e), 1, out);
		fflush(out);
	}
	fclose(out);
}

void tape_load(struct tape *t)
{
	const char *file = getenv("HOSTILE_TAPE");
	FILE *in = file ? fopen(file, "r") : NULL;

	if (!in)
		foe_die("no tape");
	t->count = fread(t->entry, sizeof(t->entry[0]), TAPE_MAX, in);
	fclose(in);
}

/* The first of its kind on the tape? Repetitions are the same bytes. */
static bool is_first(const struct tape *t, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (t->entry[k].len == t->entry[i].len &&
		    !memcmp(t->entry[k].data, t->entry[i].data, t->entry[i].len))
			return false;
	return true;
}

const struct tape_entry *tape_msg1(const struct tape *t, const struct sockaddr_in *from,
				   const struct sockaddr_in *to, int nth)
{
	const struct tape_entry *found[TAPE_MAX];
	int n = 0;
	size_t i;

	for (i = 0; i < t->count; i++) {
		const struct tape_entry *e = &t->entry[i];

		if (e->data[0] == FIPS_FMP_MSG1 && foe_same_endpoint(&e->from, from) &&
		    foe_same_endpoint(&e->to, to) && is_first(t, i))
			found[n++] = e;
	}
	if (nth < 0)
		nth += n;
	return nth >= 0 && nth < n ? found[nth] : NULL;
}
