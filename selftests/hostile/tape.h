/* SPDX-License-Identifier: MIT */
/* Handshake packets that went over the victim's cable, kept in a file. */
#ifndef SELFTESTS_HOSTILE_TAPE_H
#define SELFTESTS_HOSTILE_TAPE_H

#include "foe.h"

#define TAPE_MAX	512

/**
 * struct tape_entry - a msg1 or msg2
 * @from: source
 * @to: destination
 * @len: bytes
 * @data: packet
 */
struct tape_entry {
	struct sockaddr_in from;
	struct sockaddr_in to;
	u32 len;
	u8 data[FIPS_MSG1_LEN];
};

/**
 * struct tape - all of them, oldest first
 * @count: entries
 * @entry: see there
 */
struct tape {
	size_t count;
	struct tape_entry entry[TAPE_MAX];
};

/* Record until killed. */
void tape_record(struct foe *f, const char *file);
/* From the file that HOSTILE_TAPE names. */
void tape_load(struct tape *t);
/* The @nth distinct msg1 from @from to @to, counted from the end if negative; NULL: none. */
const struct tape_entry *tape_msg1(const struct tape *t, const struct sockaddr_in *from,
				   const struct sockaddr_in *to, int nth);

#endif /* SELFTESTS_HOSTILE_TAPE_H */
