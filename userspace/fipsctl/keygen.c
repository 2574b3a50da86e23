// SPDX-License-Identifier: MIT
/* fipsctl keygen (spec 01 §5.3, 13 §9.1). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "../libfips/keyfile.h"
#include "fipsctl.h"
#include "rng.h"

static void warn(void *ctx, const char *sentence)
{
	(void)ctx;
	fprintf(stderr, "warning: %s\n", sentence);
}

static int to_stdout(struct fips_keyfile_env *env)
{
	char nsec[FIPS_NSEC_SIZE];
	struct fips_keypair kp;

	if (fips_keypair_generate(&kp, env->pk, env->secrets, &env->rng))
		return FIPSCTL_FAILED;
	fips_nsec_format(kp.secret, nsec);
	printf("%s\n%s\n", nsec, kp.id.npub);
	explicit_bzero(nsec, sizeof(nsec));
	fips_keypair_destroy(&kp);
	return 0;
}

static int to_files(struct fips_keyfile_env *env, const char *dir, bool force)
{
	struct fips_keypair kp;
	int ret = fips_keyfile_keygen(env, dir, force, &kp);

	if (ret) {
		fprintf(stderr, "fipsctl: %s%s\n", env->error,
			ret == -EEXIST ? " (-f overwrites it)" : "");
		return FIPSCTL_FAILED;
	}
	fprintf(stderr, "%s\n", kp.id.npub);
	fprintf(stderr, "written to %s/%s; set node.identity.persistent: true to use it\n", dir,
		FIPS_KEYFILE_KEY);
	fips_keypair_destroy(&kp);
	return 0;
}

int fipsctl_keygen(int argc, char **argv)
{
	static const struct option options[] = {
		{ "dir", required_argument, NULL, 'd' },
		{ "force", no_argument, NULL, 'f' },
		{ "stdout", no_argument, NULL, 's' },
		{ 0 }
	};
	struct fips_keyfile_env env = { .rng.random = fipsctl_random, .warn = warn };
	const char *dir = FIPS_SYSCONFDIR "/fips";
	bool force = false, print = false;
	struct fips_pk pk;
	int c, ret = FIPSCTL_FAILED;

	optind = 1;
	while ((c = getopt_long(argc, argv, "+d:fs", options, NULL)) != -1) {
		if (c == 'd')
			dir = optarg;
		else if (c == 'f')
			force = true;
		else if (c == 's')
			print = true;
		else
			return FIPSCTL_USAGE;
	}
	if (optind != argc)
		return fipsctl_usage("unexpected argument", argv[optind]);
	if (sodium_init() < 0 || fips_pk_init(&pk, &env.rng))
		return FIPSCTL_FAILED;
	env.pk = &pk;
	if (!fips_secrets_new(&env.secrets))
		ret = print ? to_stdout(&env) : to_files(&env, dir, force);
	fips_secrets_destroy(env.secrets);
	fips_pk_destroy(&pk);
	return ret;
}
