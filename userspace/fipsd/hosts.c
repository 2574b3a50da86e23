// SPDX-License-Identifier: MIT
/*
 * Hosts file: "hostname npub" a line, comments only on lines of their own.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "hosts.h"

static void warn(struct fips_hosts *hosts, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void warn(struct fips_hosts *hosts, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	if (!hosts->warn)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	hosts->warn(hosts->ctx, line);
}

static void lower(char *out, const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)text[i]);
	out[len] = '\0';
}

static struct fips_host *find_name(const struct fips_hosts *hosts, const char *name, size_t len)
{
	char key[FIPS_HOST_SIZE];
	struct fips_host *h;

	if (len >= sizeof(key) || memchr(name, '\0', len))
		return NULL;
	lower(key, name, len);
	HASH_FIND(by_name, hosts->names, key, len, h);
	return h;
}

const struct fips_host *fips_hosts_by_name(const struct fips_hosts *hosts, const char *name)
{
	return find_name(hosts, name, strlen(name));
}

const struct fips_host *fips_hosts_by_addr(const struct fips_hosts *hosts,
					   const struct fips_node_addr *addr)
{
	struct fips_host *h;

	HASH_FIND(by_addr, hosts->addrs, addr, sizeof(*addr), h);
	return h;
}

/* The node of @h is shown by this name unless it has one already. */
static void list(struct fips_hosts *hosts, struct fips_host *h)
{
	if (fips_hosts_by_addr(hosts, &h->id.addr))
		return;
	HASH_ADD(by_addr, hosts->addrs, id.addr, sizeof(h->id.addr), h);
	h->listed = true;
}

static void unlist(struct fips_hosts *hosts, struct fips_host *h)
{
	struct fips_node_addr addr = h->id.addr;
	struct fips_host *other, *tmp;

	if (!h->listed)
		return;
	HASH_DELETE(by_addr, hosts->addrs, h);
	h->listed = false;
	HASH_ITER(by_name, hosts->names, other, tmp) {
		if (other != h && fips_node_addr_eq(&other->id.addr, &addr)) {
			list(hosts, other);
			return;
		}
	}
}

int fips_hosts_add(struct fips_hosts *hosts, const char *name, const struct fips_identity *id)
{
	size_t len = strlen(name);
	struct fips_host *h;

	if (!fips_hostname_valid(name, len))
		return -EINVAL;
	h = find_name(hosts, name, len);
	if (h) {
		unlist(hosts, h);
	} else {
		h = calloc(1, sizeof(*h));
		if (!h)
			return -ENOMEM;
		lower(h->name, name, len);
		HASH_ADD(by_name, hosts->names, name, len, h);
		hosts->n++;
	}
	h->id = *id;
	list(hosts, h);
	return 0;
}

/* Resolvers may mix the case of a name (0x20): an npub is the same in any. */
int fips_hosts_resolve(const struct fips_hosts *hosts, const struct fips_pk *pk, const char *text,
		       size_t len, struct fips_identity *id)
{
	const struct fips_host *h = find_name(hosts, text, len);
	char npub[FIPS_NPUB_SIZE];
	int ret;

	if (h) {
		*id = h->id;
		return 0;
	}
	if (len >= sizeof(npub))
		return -EMSGSIZE;
	lower(npub, text, len);
	ret = fips_identity_from_npub(pk, npub, len, id);
	return ret > 0 ? 0 : ret;
}

static int hosts_line(struct fips_hosts *hosts, const struct fips_pk *pk, char *line,
		      const char *path, unsigned int number)
{
	char *save, *name = strtok_r(line, " \t\r\n\v\f", &save);
	char *npub = name ? strtok_r(NULL, " \t\r\n\v\f", &save) : NULL;
	struct fips_identity id;
	int ret;

	if (!name || *name == '#')
		return 0;
	if (!npub || strtok_r(NULL, " \t\r\n\v\f", &save)) {
		warn(hosts, "%s:%u: expected a host name and an npub, line skipped", path, number);
		return 0;
	}
	ret = fips_identity_from_npub(pk, npub, strlen(npub), &id);
	if (ret < 0) {
		warn(hosts, "%s:%u: no npub (%s), line skipped", path, number,
		     fips_key_strerror(ret));
		return 0;
	}
	ret = fips_hosts_add(hosts, name, &id);
	if (ret == -EINVAL) {
		warn(hosts, "%s:%u: \"%.63s\" can't be a host name, line skipped", path, number,
		     name);
		return 0;
	}
	return ret;
}

struct fips_file_stamp fips_file_stamp(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return (struct fips_file_stamp){ 0 };
	return (struct fips_file_stamp){ st.st_mtim, st.st_size, st.st_ino };
}

bool fips_file_stamp_eq(const struct fips_file_stamp *a, const struct fips_file_stamp *b)
{
	return a->ino == b->ino && a->size == b->size && a->mtime.tv_sec == b->mtime.tv_sec &&
	       a->mtime.tv_nsec == b->mtime.tv_nsec;
}

bool fips_hosts_stale(const struct fips_hosts *hosts, const char *path)
{
	struct fips_file_stamp now = fips_file_stamp(path);

	return !fips_file_stamp_eq(&now, &hosts->stamp);
}

int fips_hosts_load(struct fips_hosts *hosts, const struct fips_pk *pk, const char *path)
{
	unsigned int number = 0;
	FILE *in;
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	/* Before it is read: what changes meanwhile is seen next time. */
	hosts->stamp = fips_file_stamp(path);
	in = fopen(path, "re");
	if (!in && errno == ENOENT)
		return 0;
	if (!in) {
		ret = -errno;
		warn(hosts, "cannot read %s: %s", path, strerror(-ret));
		return ret;
	}
	while (!ret && getline(&line, &size, in) >= 0)
		ret = hosts_line(hosts, pk, line, path, ++number);
	free(line);
	fclose(in);
	return ret;
}

void fips_hosts_clear(struct fips_hosts *hosts)
{
	struct fips_host *h, *tmp;

	HASH_CLEAR(by_addr, hosts->addrs);
	HASH_ITER(by_name, hosts->names, h, tmp) {
		HASH_DELETE(by_name, hosts->names, h);
		free(h);
	}
	hosts->n = 0;
}
