// SPDX-License-Identifier: MIT
/*
 * One write() a line, so that lines of threads never mix. Write errors are
 * nobody's business here.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define LINE_MAX_	1024

static const struct {
	const char *name;
	const char *syslog;
} levels[] = {
	[FIPS_LOG_ERROR] = { "ERROR", "<3>" },
	[FIPS_LOG_WARN] = { "WARN", "<4>" },
	[FIPS_LOG_INFO] = { "INFO", "<6>" },
	[FIPS_LOG_DEBUG] = { "DEBUG", "<7>" },
	[FIPS_LOG_TRACE] = { "TRACE", "<7>" },
};

bool fipsd_log_parse_level(const char *text, enum fips_log_level *level)
{
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (!strcasecmp(text, levels[i].name)) {
			*level = (enum fips_log_level)i;
			return true;
		}
	if (strcasecmp(text, "warning"))
		return false;
	*level = FIPS_LOG_WARN;
	return true;
}

/* JOURNAL_STREAM names the device and inode of our stderr, or of somebody else's. */
static bool stderr_is_journal(void)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return text && sscanf(text, "%llu:%llu", &dev, &ino) == 2 && !fstat(STDERR_FILENO, &st) &&
	       st.st_dev == dev && st.st_ino == ino;
}

void fipsd_log_set_level(struct fipsd_log *log, const char *text)
{
	enum fips_log_level level = FIPS_LOG_INFO;
	const char *env = getenv("RUST_LOG");

	if (text)
		fipsd_log_parse_level(text, &level);
	if (env && *env)
		fipsd_log_parse_level(env, &level);
	__atomic_store_n(&log->level, level, __ATOMIC_RELAXED);
}

void fipsd_log_init(struct fipsd_log *log, const char *level)
{
	log->journal = stderr_is_journal();
	log->timestamps = !log->journal;
	fipsd_log_set_level(log, level);
}

void fipsd_log_line(const struct fipsd_log *log, enum fips_log_level level, const char *line)
{
	char buf[LINE_MAX_], stamp[32] = "";
	int len;

	if (level > __atomic_load_n(&log->level, __ATOMIC_RELAXED))
		return;
	if (log->timestamps) {
		struct timespec ts;
		struct tm tm;

		clock_gettime(CLOCK_REALTIME, &ts);
		gmtime_r(&ts.tv_sec, &tm);
		len = (int)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
		snprintf(stamp + len, sizeof(stamp) - (size_t)len, ".%03ldZ ",
			 ts.tv_nsec / 1000000);
	}
	if (log->journal)
		len = snprintf(buf, sizeof(buf), "%s%s\n", levels[level].syslog, line);
	else
		len = snprintf(buf, sizeof(buf), "%s%5s %s\n", stamp, levels[level].name, line);
	if (len >= (int)sizeof(buf)) {
		len = sizeof(buf) - 1;
		buf[len - 1] = '\n';
	}
	if (write(STDERR_FILENO, buf, (size_t)len) < 0)
		return;
}

void fipsd_log(const struct fipsd_log *log, enum fips_log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_ - 64];
	va_list ap;

	if (level > __atomic_load_n(&log->level, __ATOMIC_RELAXED))
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	fipsd_log_line(log, level, line);
}
