/* SPDX-License-Identifier: MIT */
/*
 * Log lines to stderr; with <N> prefixes when stderr is the journal.
 */
#ifndef FIPSD_LOG_H
#define FIPSD_LOG_H

#include "../libfips/node.h"

/**
 * struct fipsd_log - where log lines go; may be used from any thread once set up
 * @level: lines above it are left out
 * @journal: stderr is the journal
 * @timestamps: put a time in front (a file, a terminal)
 */
struct fipsd_log {
	enum fips_log_level level;
	bool journal;
	bool timestamps;
};

/* Look at JOURNAL_STREAM and RUST_LOG; @level is node.log_level's text or NULL. */
void fipsd_log_init(struct fipsd_log *log, const char *level);
/* Another level, as above; RUST_LOG still wins. */
void fipsd_log_set_level(struct fipsd_log *log, const char *level);
void fipsd_log_line(const struct fipsd_log *log, enum fips_log_level level, const char *line);
void fipsd_log(const struct fipsd_log *log, enum fips_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "trace", "Warning", …; false leaves @level alone. */
bool fipsd_log_parse_level(const char *text, enum fips_log_level *level);

#endif /* FIPSD_LOG_H */
