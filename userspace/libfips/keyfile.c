// SPDX-License-Identifier: MIT
/*
 * Key files (spec 01 §5, 12 §9).
 *
 * Files are written beside their place, synced and renamed, so that a full
 * disk or a crash leaves either the old key or the new one.
 */
#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_MAX	(FIPS_SECRET_MAX - 1)

static void __attribute__((format(printf, 3, 4)))
keyfile_fail(struct fips_keyfile_env *env, int err, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(env->error, sizeof(env->error), fmt, args);
	va_end(args);
	if (err && n >= 0 && (size_t)n < sizeof(env->error))
		snprintf(env->error + n, sizeof(env->error) - (size_t)n, ": %s", strerror(-err));
}

static void __attribute__((format(printf, 2, 3)))
keyfile_warn(struct fips_keyfile_env *env, const char *fmt, ...)
{
	char text[FIPS_KEYFILE_ERR_SIZE + 128];
	va_list args;

	if (!env->warn)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	env->warn(env->ctx, text);
}

static int path_join(struct fips_keyfile_env *env, char path[static PATH_MAX], const char *dir,
		     const char *name)
{
	int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);

	if (n > 0 && n < PATH_MAX - 16)
		return 0;
	keyfile_fail(env, 0, "the path of %s is too long", name);
	return -ENAMETOOLONG;
}

static bool is_there(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

/* White_Space of Unicode, as a length in UTF-8 bytes; 0 if none stands at the front. */
static size_t space_at(const u8 *p, size_t len)
{
	if (len >= 1 && (p[0] == ' ' || (p[0] >= 9 && p[0] <= 13)))
		return 1;
	if (len >= 2 && p[0] == 0xc2 && (p[1] == 0x85 || p[1] == 0xa0))
		return 2;
	if (len < 3)
		return 0;
	switch (p[0] << 16 | p[1] << 8 | p[2]) {
	case 0xe19a80:				/* U+1680 */
	case 0xe28080 ... 0xe2808a:		/* U+2000 to U+200A */
	case 0xe280a8:
	case 0xe280a9:				/* U+2028, U+2029 */
	case 0xe280af:				/* U+202F */
	case 0xe2819f:				/* U+205F */
	case 0xe38080:				/* U+3000 */
		return 3;
	default:
		return 0;
	}
}

static void trim(const char **text, size_t *len)
{
	const u8 *p = (const u8 *)*text;
	size_t n, back;

	while ((n = space_at(p, *len))) {
		p += n;
		*len -= n;
	}
	for (back = 1; back <= 3 && back <= *len; back++) {
		if (space_at(p + *len - back, back) == back) {
			*len -= back;
			back = 0;
		}
	}
	*text = (const char *)p;
}

int fips_keyfile_parse(struct fips_keyfile_env *env, const char *path, const char *text,
		       size_t len, struct fips_keypair *kp)
{
	u8 *sec;
	int ret;

	trim(&text, &len);
	if (!len) {
		keyfile_fail(env, 0, "%s is empty; it should hold one nsec1... text", path);
		return -EINVAL;
	}
	sec = fips_secret_alloc(env->secrets, FIPS_KEY_LEN);
	if (!sec) {
		keyfile_fail(env, -ENOMEM, "%s", path);
		return -ENOMEM;
	}
	ret = fips_secret_parse(env->pk, text, len, sec);
	if (ret < 0)
		keyfile_fail(env, 0, "the key in %s %s", path, fips_key_strerror(ret));
	else
		ret = fips_keypair_from_secret(kp, env->pk, env->secrets, sec);
	fips_secret_free(env->secrets, sec);
	return ret;
}

static void warn_about_mode(struct fips_keyfile_env *env, const char *path, const struct stat *st)
{
	struct stat link;

	if (!lstat(path, &link) && S_ISLNK(link.st_mode))
		keyfile_warn(env, "%s is a symlink", path);
	if (st->st_mode & 077)
		keyfile_warn(env, "%s is open to others (mode %04o); chmod 600 it", path,
			     (unsigned int)st->st_mode & 07777);
}

/* Whole file, TEXT_MAX bytes at most. */
static ssize_t read_all(int fd, char *buf)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, buf + len, TEXT_MAX + 1 - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			len += (size_t)n;
	} while (n && len <= TEXT_MAX);
	return len > TEXT_MAX ? -EFBIG : (ssize_t)len;
}

/* Open to read: no waiting for the writer of a pipe, nothing but files. */
static int open_key(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int err;

	if (fd < 0)
		return -errno;
	err = fstat(fd, st) ? -errno : S_ISREG(st->st_mode) ? 0 : -EINVAL;
	if (!err)
		return fd;
	close(fd);
	return err;
}

int fips_keyfile_read(struct fips_keyfile_env *env, const char *path, struct fips_keypair *kp)
{
	struct stat st;
	ssize_t len;
	char *text;
	int fd, err;

	fd = open_key(path, &st);
	if (fd < 0) {
		keyfile_fail(env, fd, "can't read the key file %s", path);
		return fd;
	}
	warn_about_mode(env, path, &st);
	text = fips_secret_alloc(env->secrets, TEXT_MAX + 1);
	len = text ? read_all(fd, text) : -ENOMEM;
	close(fd);
	if (len < 0) {
		err = (int)len;
		keyfile_fail(env, err, "can't read the key file %s", path);
	} else {
		err = fips_keyfile_parse(env, path, text, (size_t)len, kp);
	}
	fips_secret_free(env->secrets, text);
	return err < 0 ? err : 0;
}

static int make_dirs(const char *dir)
{
	char path[PATH_MAX];
	char *p;

	if (snprintf(path, sizeof(path), "%s", dir) >= PATH_MAX)
		return -ENAMETOOLONG;
	for (p = path + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(path, 0755) && errno != EEXIST ? -errno : 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) ? -errno : 0;
}

/*
 * Mode and owner of the new file, before it holds a byte: of the old one where
 * there is one, but @force_mode if that is not 0.
 */
static int set_owner_and_mode(int fd, const struct stat *old, mode_t force_mode)
{
	mode_t mode = force_mode;

	if (old) {
		/* Only root can; for others the file becomes theirs. */
		if (fchown(fd, old->st_uid, old->st_gid) && errno != EPERM)
			return -errno;
		if (!mode)
			mode = old->st_mode & 0777;
	}
	return mode && fchmod(fd, mode) ? -errno : 0;
}

static int write_beside(const char *tmp, const char *path, const struct stat *old, mode_t create,
			mode_t force_mode, const char *text, size_t len)
{
	int fd, err;

	if (unlink(tmp) && errno != ENOENT)
		return -errno;
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, create);
	if (fd < 0)
		return -errno;
	err = set_owner_and_mode(fd, old, force_mode);
	if (!err)
		err = write_all(fd, text, len);
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	return err;
}

static void sync_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static int write_file(struct fips_keyfile_env *env, const char *dir, const char *name,
		      mode_t create, mode_t force_mode, const char *text, size_t len)
{
	char path[PATH_MAX], tmp[PATH_MAX];
	struct stat st;
	bool exists;
	int err;

	err = path_join(env, path, dir, name);
	if (err)
		return err;
	if (snprintf(tmp, sizeof(tmp), "%s.tmp", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	make_dirs(dir);		/* if it failed, the open below says why */
	exists = !lstat(path, &st);
	if (exists && S_ISLNK(st.st_mode)) {
		keyfile_fail(env, 0, "%s is a symlink; not written through it", path);
		return -ELOOP;
	}
	if (exists && !S_ISREG(st.st_mode)) {
		keyfile_fail(env, 0, "%s is not a regular file", path);
		return -EINVAL;
	}
	err = write_beside(tmp, path, exists ? &st : NULL, create, force_mode, text, len);
	if (err)
		keyfile_fail(env, err, "can't write %s", path);
	else
		sync_dir(dir);
	return err;
}

int fips_keyfile_write_key(struct fips_keyfile_env *env, const char *dir,
			   const struct fips_keypair *kp)
{
	char *text = fips_secret_alloc(env->secrets, FIPS_NSEC_SIZE);
	int err;

	if (!text) {
		keyfile_fail(env, -ENOMEM, "can't write %s/" FIPS_KEYFILE_KEY, dir);
		return -ENOMEM;
	}
	fips_nsec_format(kp->secret, text);
	text[FIPS_BECH32_KEY_LEN] = '\n';
	err = write_file(env, dir, FIPS_KEYFILE_KEY, 0600, 0600, text, FIPS_BECH32_KEY_LEN + 1);
	fips_secret_free(env->secrets, text);
	return err;
}

static int write_npub(struct fips_keyfile_env *env, const char *dir, const char *name,
		      const struct fips_identity *id)
{
	char text[FIPS_NPUB_SIZE];

	memcpy(text, id->npub, FIPS_BECH32_KEY_LEN);
	text[FIPS_BECH32_KEY_LEN] = '\n';
	return write_file(env, dir, name, 0644, 0, text, FIPS_BECH32_KEY_LEN + 1);
}

int fips_keyfile_write_pub(struct fips_keyfile_env *env, const char *dir,
			   const struct fips_identity *id)
{
	return write_npub(env, dir, FIPS_KEYFILE_PUB, id);
}

static void write_pub_or_warn(struct fips_keyfile_env *env, const char *dir,
			      const struct fips_identity *id)
{
	if (fips_keyfile_write_pub(env, dir, id))
		keyfile_warn(env, "%s", env->error);
}

static void drop_mark(const char *dir)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/" FIPS_KEYFILE_MARK, dir) < PATH_MAX)
		unlink(path);
}

/* Does the mark name the key that is in the file? */
static bool mark_matches(const char *dir, const struct fips_identity *id)
{
	char path[PATH_MAX], text[FIPS_NPUB_SIZE];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/" FIPS_KEYFILE_MARK, dir) >= PATH_MAX)
		return false;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, FIPS_BECH32_KEY_LEN);
	close(fd);
	return n == FIPS_BECH32_KEY_LEN && !memcmp(text, id->npub, FIPS_BECH32_KEY_LEN);
}

static int key_generate(struct fips_keyfile_env *env, struct fips_keypair *kp)
{
	int err = fips_keypair_generate(kp, env->pk, env->secrets, &env->rng);

	if (err)
		keyfile_fail(env, err, "can't generate a key");
	return err;
}

static int resolve_config(struct fips_keyfile_env *env, const char *nsec, struct fips_keypair *kp)
{
	u8 *sec = fips_secret_alloc(env->secrets, FIPS_KEY_LEN);
	int ret;

	if (!sec) {
		keyfile_fail(env, -ENOMEM, "node.identity.nsec");
		return -ENOMEM;
	}
	ret = fips_secret_parse(env->pk, nsec, strlen(nsec), sec);
	if (ret < 0)
		keyfile_fail(env, 0, "node.identity.nsec %s", fips_key_strerror(ret));
	else
		ret = fips_keypair_from_secret(kp, env->pk, env->secrets, sec);
	fips_secret_free(env->secrets, sec);
	return ret;
}

static int resolve_persistent(struct fips_keyfile_env *env, const char *dir, const char *path,
			      struct fips_keypair *kp, enum fips_key_source *source)
{
	struct stat st;
	int err;

	/* Follows symlinks: a dangling one is no key, and refuses the write below (01 §5.2). */
	if (!stat(path, &st)) {
		err = fips_keyfile_read(env, path, kp);
		if (err)
			return err;
		drop_mark(dir);
		*source = FIPS_KEY_FROM_FILE;
		write_pub_or_warn(env, dir, &kp->id);
		return 0;
	}
	/* Unreadable is not absent: a fresh identity would hide the real one. */
	if (errno != ENOENT && errno != ENOTDIR) {
		err = -errno;
		keyfile_fail(env, err, "can't read the key file %s", path);
		return err;
	}
	err = key_generate(env, kp);
	if (err)
		return err;
	*source = FIPS_KEY_CREATED;
	if (fips_keyfile_write_key(env, dir, kp)) {
		keyfile_warn(env, "%s; this identity will be lost when the daemon stops",
			     env->error);
		*source = FIPS_KEY_EPHEMERAL;
	} else {
		drop_mark(dir);
	}
	write_pub_or_warn(env, dir, &kp->id);
	return 0;
}

/* May an ephemeral key take the place of what is at @path? */
static bool may_overwrite(struct fips_keyfile_env *env, const char *dir, const char *path)
{
	struct fips_keyfile_env quiet = *env;
	struct fips_keypair old;
	bool ours;

	if (!is_there(path))
		return true;
	quiet.warn = NULL;
	if (fips_keyfile_read(&quiet, path, &old))
		return false;
	ours = mark_matches(dir, &old.id);
	fips_keypair_destroy(&old);
	return ours;
}

static int resolve_ephemeral(struct fips_keyfile_env *env, const char *dir, const char *path,
			     struct fips_keypair *kp)
{
	int err = key_generate(env, kp);

	if (err)
		return err;
	if (!may_overwrite(env, dir, path)) {
		keyfile_warn(env,
			     "%s was not written by an ephemeral start and is left alone, unused; "
			     "set node.identity.persistent: true to use it, or remove it", path);
		return 0;
	}
	if (is_there(path))
		keyfile_warn(env,
			     "%s is overwritten; set node.identity.persistent: true to keep a key",
			     path);
	/* The mark goes first: a key without it would be taken for somebody's. */
	if (write_npub(env, dir, FIPS_KEYFILE_MARK, &kp->id) ||
	    fips_keyfile_write_key(env, dir, kp))
		keyfile_warn(env, "%s", env->error);
	write_pub_or_warn(env, dir, &kp->id);
	return 0;
}

int fips_keyfile_resolve(struct fips_keyfile_env *env, const struct fips_keyfile_config *cfg,
			 struct fips_keypair *kp, enum fips_key_source *source)
{
	char path[PATH_MAX];
	int err;

	env->error[0] = '\0';
	if (cfg->nsec) {
		*source = FIPS_KEY_FROM_CONFIG;
		err = resolve_config(env, cfg->nsec, kp);
		return err < 0 ? err : 0;
	}
	err = path_join(env, path, cfg->dir, FIPS_KEYFILE_KEY);
	if (err)
		return err;
	if (cfg->persistent)
		return resolve_persistent(env, cfg->dir, path, kp, source);
	*source = FIPS_KEY_EPHEMERAL;
	return resolve_ephemeral(env, cfg->dir, path, kp);
}

int fips_keyfile_keygen(struct fips_keyfile_env *env, const char *dir, bool force,
			struct fips_keypair *kp)
{
	char path[PATH_MAX];
	int err = path_join(env, path, dir, FIPS_KEYFILE_KEY);

	if (err)
		return err;
	if (!force && is_there(path)) {
		keyfile_fail(env, 0, "%s exists; use --force to overwrite it", path);
		return -EEXIST;
	}
	err = key_generate(env, kp);
	if (err)
		return err;
	err = fips_keyfile_write_key(env, dir, kp);
	if (err) {
		fips_keypair_destroy(kp);
		return err;
	}
	drop_mark(dir);
	write_pub_or_warn(env, dir, &kp->id);
	return 0;
}
