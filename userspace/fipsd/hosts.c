// SPDX-License-Identifier: MIT
/*
 * Hosts file: "hostname npub" a line, comments only on lines of their own.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
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

const struct fips_host *fips_hosts_by_name(const struct fips_hosts *hosts, const char *name)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		if (!strcasecmp(hosts->v[i].name, name))
			return &hosts->v[i];
	return NULL;
}

const struct fips_host *fips_hosts_by_addr(const struct fips_hosts *hosts,
					   const struct fips_node_addr *addr)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		if (fips_node_addr_eq(&hosts->v[i].id.addr, addr))
			return &hosts->v[i];
	return NULL;
}

int fips_hosts_add(struct fips_hosts *hosts, const char *name, const struct fips_identity *id)
{
	struct fips_host *h = (struct fips_host *)fips_hosts_by_name(hosts, name);
	size_t i;

	if (!fips_hostname_valid(name, strlen(name)))
		return -EINVAL;
	if (!h) {
		struct fips_host *v = realloc(hosts->v, (hosts->n + 1) * sizeof(*v));

		if (!v)
			return -ENOMEM;
		hosts->v = v;
		h = &v[hosts->n++];
	}
	for (i = 0; name[i]; i++)
		h->name[i] = (char)tolower((unsigned char)name[i]);
	h->name[i] = '\0';
	h->id = *id;
	return 0;
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

static struct timespec file_mtime(const char *path)
{
	struct stat st;

	return stat(path, &st) ? (struct timespec){ 0 } : st.st_mtim;
}

bool fips_hosts_stale(const struct fips_hosts *hosts, const char *path)
{
	struct timespec now = file_mtime(path);

	return now.tv_sec != hosts->mtime.tv_sec || now.tv_nsec != hosts->mtime.tv_nsec;
}

int fips_hosts_load(struct fips_hosts *hosts, const struct fips_pk *pk, const char *path)
{
	unsigned int number = 0;
	FILE *in;
	char *line = NULL;
	size_t size = 0;
	int ret = 0;

	/* Before it is read: what changes meanwhile is seen next time. */
	hosts->mtime = file_mtime(path);
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
	free(hosts->v);
	hosts->v = NULL;
	hosts->n = 0;
}
