// SPDX-License-Identifier: MIT
/*
 * One token a line: ALL, an npub or a host name; # begins a comment anywhere.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "acl_file.h"

#define FILE_MAX	(16u << 20)	/* bytes; 200,000 npubs */
#define SHOWN		63		/* characters of a bad token in a warning */

static void warn(const struct fipsd_acl *acl, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void warn(const struct fipsd_acl *acl, const char *fmt, ...)
{
	char line[256];
	va_list ap;

	if (!acl->warn)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	acl->warn(acl->ctx, line);
}

/* ---- lines ---- */

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Narrow a line to what stands between blanks, in front of a comment. */
static void trim(const char **text, size_t *len)
{
	const char *hash = memchr(*text, '#', *len);

	if (hash)
		*len = (size_t)(hash - *text);
	while (*len && is_blank((*text)[*len - 1]))
		--*len;
	while (*len && is_blank(**text)) {
		++*text;
		--*len;
	}
}

static bool one_token(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (is_blank(text[i]) || !text[i])
			return false;
	return true;
}

static struct fips_acl_list *list_of(struct fipsd_acl *acl, const struct fipsd_acl_file *file)
{
	return file == &acl->allow ? &acl->acl.allow : &acl->acl.deny;
}

static int entry_add(struct fipsd_acl_file *file, const char *token, size_t len, const char *npub)
{
	struct fipsd_acl_entry *v = realloc(file->v, (file->n + 1) * sizeof(*v));
	char *copy;

	if (!v)
		return -ENOMEM;
	file->v = v;
	copy = strndup(token, len);
	if (!copy)
		return -ENOMEM;
	v[file->n].token = copy;
	memcpy(v[file->n].npub, npub, sizeof(v->npub));
	file->n++;
	return 0;
}

static int acl_line(struct fipsd_acl *acl, struct fipsd_acl_file *file,
		    const struct fips_hosts *hosts, const struct fips_pk *pk, const char *text,
		    size_t len, unsigned int number)
{
	struct fips_identity id;
	int ret;

	trim(&text, &len);
	if (!len)
		return 0;
	if (!one_token(text, len)) {
		warn(acl, "%s:%u: expected one npub, alias or ALL, line skipped", file->path,
		     number);
		return 0;
	}
	if (len == 3 && !strncasecmp(text, "ALL", 3)) {
		list_of(acl, file)->all = true;
		return 0;
	}
	if (fips_hosts_resolve(hosts, pk, text, len, &id)) {
		warn(acl, "%s:%u: \"%.*s\" is neither an npub nor a known name, skipped",
		     file->path, number, (int)(len < SHOWN ? len : SHOWN), text);
		return 0;
	}
	ret = fips_acl_list_add(list_of(acl, file), &id.addr);
	return ret ? ret : entry_add(file, text, len, id.npub);
}

int fipsd_acl_parse(struct fipsd_acl *acl, struct fipsd_acl_file *file,
		    const struct fips_hosts *hosts, const struct fips_pk *pk, const char *text,
		    size_t len)
{
	const char *end = text + len, *newline;
	unsigned int number = 0;
	int ret = 0;

	while (!ret && text < end) {
		newline = memchr(text, '\n', (size_t)(end - text));
		if (!newline)
			newline = end;
		ret = acl_line(acl, file, hosts, pk, text, (size_t)(newline - text), ++number);
		text = newline + 1;
	}
	return ret;
}

/* ---- files ---- */

/* The whole file, to be freed; NULL and 0 if there is none. */
static int read_file(const char *path, char **text, size_t *len)
{
	FILE *in = fopen(path, "re");
	int ret = 0;

	*text = NULL;
	*len = 0;
	if (!in)
		return errno == ENOENT ? 0 : -errno;
	*text = malloc(FILE_MAX);
	if (!*text)
		ret = -ENOMEM;
	else
		*len = fread(*text, 1, FILE_MAX, in);
	if (!ret && ferror(in))
		ret = errno ? -errno : -EIO;
	else if (!ret && *len == FILE_MAX)
		ret = -EFBIG;
	fclose(in);
	if (ret) {
		free(*text);
		*text = NULL;
	}
	return ret;
}

static int load_one(struct fipsd_acl *acl, struct fipsd_acl_file *file,
		    const struct fips_hosts *hosts, const struct fips_pk *pk)
{
	size_t len;
	char *text;
	int ret = read_file(file->path, &text, &len);

	if (ret)
		warn(acl, "cannot read %s: %s", file->path, strerror(-ret));
	else
		ret = fipsd_acl_parse(acl, file, hosts, pk, text, len);
	free(text);
	return ret;
}

static void file_clear(struct fipsd_acl_file *file)
{
	size_t i;

	for (i = 0; i < file->n; i++)
		free(file->v[i].token);
	free(file->v);
	file->v = NULL;
	file->n = 0;
}

void fipsd_acl_clear(struct fipsd_acl *acl)
{
	file_clear(&acl->allow);
	file_clear(&acl->deny);
	fips_acl_clear(&acl->acl);
}

int fipsd_acl_load(struct fipsd_acl *acl, const struct fips_hosts *hosts,
		   const struct fips_pk *pk, bool first)
{
	struct fipsd_acl fresh = {
		.allow = { .path = acl->allow.path },
		.deny = { .path = acl->deny.path },
		.warn = acl->warn,
		.ctx = acl->ctx,
	};
	int allow, deny;

	/* Before they are read: what changes meanwhile is seen next time. */
	acl->allow.stamp = fips_file_stamp(acl->allow.path);
	acl->deny.stamp = fips_file_stamp(acl->deny.path);
	allow = load_one(&fresh, &fresh.allow, hosts, pk);
	deny = load_one(&fresh, &fresh.deny, hosts, pk);
	if ((allow || deny) && !first) {
		warn(acl, "the access lists stay as they were");
		fipsd_acl_clear(&fresh);
		return allow ? allow : deny;
	}
	/* Nobody knows who was to be kept out: everybody (13 §13). */
	if (deny) {
		warn(acl, "%s: everybody is denied whom %s does not allow", acl->deny.path,
		     acl->allow.path);
		fresh.acl.deny.all = true;
	}
	fresh.allow.stamp = acl->allow.stamp;
	fresh.deny.stamp = acl->deny.stamp;
	fipsd_acl_clear(acl);
	*acl = fresh;
	return 0;
}

bool fipsd_acl_stale(const struct fipsd_acl *acl)
{
	struct fips_file_stamp allow = fips_file_stamp(acl->allow.path);
	struct fips_file_stamp deny = fips_file_stamp(acl->deny.path);

	return !fips_file_stamp_eq(&allow, &acl->allow.stamp) ||
	       !fips_file_stamp_eq(&deny, &acl->deny.stamp);
}
