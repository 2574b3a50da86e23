// SPDX-License-Identifier: MIT
/*
 * Socket paths and permissions. Authorisation is by file permissions alone, so
 * the socket is bound under a umask that shuts everybody out and opened after.
 */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "paths.h"

#define SYSTEM_DIR	"/run/fips"
#define GROUP_NAME	"fips"
#define BACKLOG		16

static bool is_dir(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

void fips_socket_path(const char *name, char *path)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");

	if (is_dir(SYSTEM_DIR))
		snprintf(path, FIPS_PATH_SIZE, "%s/%s", SYSTEM_DIR, name);
	else if (xdg && *xdg && is_dir(xdg))
		snprintf(path, FIPS_PATH_SIZE, "%s/fips/%s", xdg, name);
	else
		snprintf(path, FIPS_PATH_SIZE, "/tmp/fips-%s", name);
}

bool fips_dir_is_managed(const char *dir)
{
	const char *xdg = getenv("XDG_RUNTIME_DIR");
	char own[FIPS_PATH_SIZE];

	if (!strcmp(dir, SYSTEM_DIR))
		return true;
	if (!xdg || !*xdg)
		return false;
	snprintf(own, sizeof(own), "%s/fips", xdg);
	return !strcmp(dir, own);
}

int fips_make_parents(const char *path, bool *made)
{
	char dir[FIPS_PATH_SIZE];
	char *p;

	*made = false;
	if (strlen(path) >= sizeof(dir))
		return -ENAMETOOLONG;
	strcpy(dir, path);
	for (p = strchr(dir + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		*made = !mkdir(dir, 0755);
		if (!*made && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return 0;
}

static void give_to_group(const char *path, mode_t mode)
{
	struct group *gr = getgrnam(GROUP_NAME);

	/* Best effort: without the group only root gets in. */
	if (gr && chown(path, (uid_t)-1, gr->gr_gid))
		return;
	if (chmod(path, mode))
		return;
}

static void set_up_dir(const char *path, bool made)
{
	char dir[FIPS_PATH_SIZE];
	char *slash;

	strcpy(dir, path);
	slash = strrchr(dir, '/');
	if (!slash || slash == dir)
		return;
	*slash = '\0';
	if (made || fips_dir_is_managed(dir))
		give_to_group(dir, 0750);
}

/* Somebody listening there is an error, a leftover is removed. */
static int clear_stale(const struct sockaddr_un *sun)
{
	struct stat st;
	int fd, ret;

	if (lstat(sun->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	ret = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
	if (!ret || errno == EAGAIN) {
		close(fd);
		return -EADDRINUSE;
	}
	close(fd);
	return unlink(sun->sun_path) ? -errno : 0;
}

static int bind_listen(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask;
	int ret;

	if (fd < 0)
		return -errno;
	mask = umask(0777);
	ret = bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) ? -errno : 0;
	umask(mask);
	if (ret)
		goto fail;
	give_to_group(sun->sun_path, 0770);
	if (!listen(fd, BACKLOG))
		return fd;
	ret = -errno;
	unlink(sun->sun_path);
fail:
	close(fd);
	return ret;
}

int fips_socket_bind(const char *path, char *why, size_t why_len)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	bool made;
	int ret;

	if (!*path || strlen(path) >= sizeof(sun.sun_path)) {
		snprintf(why, why_len, "socket path \"%s\" has no usable length", path);
		return -ENAMETOOLONG;
	}
	strcpy(sun.sun_path, path);
	ret = fips_make_parents(path, &made);
	if (!ret) {
		set_up_dir(path, made);
		ret = clear_stale(&sun);
	}
	if (!ret)
		ret = bind_listen(&sun);
	if (ret < 0)
		snprintf(why, why_len, "cannot bind socket %s: %s", path,
			 ret == -EEXIST ? "something else is there" : strerror(-ret));
	return ret;
}
