// SPDX-License-Identifier: MIT
/*
 * Which files make the configuration (spec 12 §3). In search mode later files
 * override key by key, as the reference documents (its code drops most keys).
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

#define SEARCH_MAX	4

static const char *home_dir(void)
{
	const char *home = getenv("HOME");
	struct passwd *pw;

	if (home && *home)
		return home;
	pw = getpwuid(getuid());
	return pw ? pw->pw_dir : NULL;
}

static void search_add(char **path, size_t *n, const char *dir, const char *name)
{
	if (dir && asprintf(&path[*n], "%s/%s", dir, name) >= 0)
		(*n)++;
}

/* Low to high precedence. Returns the number, strings to be freed. */
static size_t search_path(char **path)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = home_dir();
	size_t n = 0;

	search_add(path, &n, FIPS_SYSCONFDIR "/fips", "fips.yaml");
	if (xdg && *xdg == '/')
		search_add(path, &n, xdg, "fips/fips.yaml");
	else
		search_add(path, &n, home, ".config/fips/fips.yaml");
	search_add(path, &n, home, ".fips.yaml");
	search_add(path, &n, ".", "fips.yaml");
	return n;
}

static int set_dir(struct fips_config *cfg, const char *path)
{
	const char *slash = strrchr(path, '/');

	free(cfg->dir);
	if (!slash)
		cfg->dir = strdup(".");
	else
		cfg->dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	return cfg->dir ? 0 : -ENOMEM;
}

static int load_one(struct fips_config *cfg, const char *path, struct fips_report *rep)
{
	int ret = fips_config_load(cfg, path, rep);

	if (ret)
		return ret;
	fips_report_add(rep, FIPS_REPORT_NOTE, NULL, NULL, "configuration loaded from %s", path);
	return set_dir(cfg, path);
}

static int load_search(struct fips_config *cfg, struct fips_report *rep)
{
	char *path[SEARCH_MAX];
	size_t i, n = search_path(path), loaded = 0;
	struct stat st;
	int ret = 0, err;

	for (i = 0; i < n; i++) {
		if (!stat(path[i], &st)) {
			loaded++;
			err = load_one(cfg, path[i], rep);
			ret = ret ? ret : err;
		}
		free(path[i]);
	}
	if (!loaded) {
		fips_report_add(rep, FIPS_REPORT_NOTE, NULL, NULL,
				"no configuration file found, using defaults");
		ret = set_dir(cfg, FIPS_SYSCONFDIR "/fips/fips.yaml");
	}
	return ret;
}

int fips_config_find(struct fips_config *cfg, const char *path, const struct fips_pk *pk,
		     struct fips_report *rep)
{
	int ret = path ? load_one(cfg, path, rep) : load_search(cfg, rep);
	int err;

	if (ret && ret != -EINVAL)
		return ret;
	/* Two kinds of mistakes in one run. */
	err = fips_config_check(cfg, pk, rep);
	return ret ? ret : err;
}
