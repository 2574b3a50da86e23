// SPDX-License-Identifier: MIT
/*
 * Key files: reading, writing, permissions, and which identity wins.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyfile.h"
#include "vectors_pk.h"

#define WARN_MAX	4096

/* A folder of its own, and everything that was warned about. */
struct world {
	struct vec_crypto *c;
	struct fips_keyfile_env env;
	char dir[64];
	char warned[WARN_MAX];
	unsigned int n_warned;
};

static void note_warning(void *ctx, const char *sentence)
{
	struct world *w = ctx;
	size_t len = strlen(w->warned);

	w->n_warned++;
	snprintf(w->warned + len, sizeof(w->warned) - len, "%s\n", sentence);
}

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	void *c;

	assert_non_null(w);
	vec_crypto_setup(&c);
	w->c = c;
	w->env.pk = &w->c->pk;
	w->env.secrets = w->c->secrets;
	w->env.rng = w->c->rng;
	w->env.warn = note_warning;
	w->env.ctx = w;
	strcpy(w->dir, "/tmp/fips-keyfile-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	umask(022);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	void *c = w->c;
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf '%s'", w->dir);
	assert_int_equal(system(cmd), 0);
	free(w);
	return vec_crypto_teardown(&c);
}

static const char *path_of(const struct world *w, const char *name)
{
	static char path[2][PATH_MAX];
	static int turn;

	turn = !turn;
	snprintf(path[turn], PATH_MAX, "%s/%s", w->dir, name);
	return path[turn];
}

static void put(const struct world *w, const char *name, const void *bytes, size_t len, mode_t mode)
{
	int fd = open(path_of(w, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static size_t get(const struct world *w, const char *name, char *buf, size_t room)
{
	int fd = open(path_of(w, name), O_RDONLY);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, buf, room - 1);
	assert_true(n >= 0);
	buf[n] = '\0';
	close(fd);
	return (size_t)n;
}

static bool there(const struct world *w, const char *name)
{
	struct stat st;

	return !lstat(path_of(w, name), &st);
}

static mode_t mode_of(const struct world *w, const char *name)
{
	struct stat st;

	assert_int_equal(lstat(path_of(w, name), &st), 0);
	return st.st_mode & 07777;
}

static void forget_warnings(struct world *w)
{
	w->warned[0] = '\0';
	w->n_warned = 0;
}

static int resolve(struct world *w, const char *nsec, bool persistent, struct fips_keypair *kp,
		   enum fips_key_source *source)
{
	const struct fips_keyfile_config cfg = {
		.nsec = nsec,
		.persistent = persistent,
		.dir = w->dir,
	};

	return fips_keyfile_resolve(&w->env, &cfg, kp, source);
}

static const char nsec1[] = "nsec1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5z5tpwxqergd3c8g7rusqpqcc2y";
static const char hex1[] = "0102030405060708090A0b0c0d0e0f101112131415161718191a1b1c1d1e1f20";
static const char npub1[] = "npub1sjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jcqawh57m";

/* ----------------------------------------------------------------- vectors */

static void test_reading_vectors(void **state)
{
	struct world *w = *state;
	json_t *root = vec_load("identity"), *v;
	struct fips_keypair kp;
	size_t i;

	assert_int_equal(json_array_size(vec_array(root, "key_file_reading")), 15);
	json_array_foreach(vec_array(root, "key_file_reading"), i, v) {
		struct vec_bytes b = vec_hex(v, "file_hex");
		bool want = vec_accepted(v, "result");
		int err;

		put(w, "fips.key", b.p, b.len, 0600);
		err = fips_keyfile_read(&w->env, path_of(w, "fips.key"), &kp);
		if (!err != want)
			fail_msg("%s: %d", vec_str(v, "name"), err);
		if (want) {
			vec_expect(v, "secret", kp.secret, 32);
			fips_keypair_destroy(&kp);
		} else {
			assert_non_null(strstr(w->env.error, w->dir));
		}
		free(b.p);
	}
	assert_int_equal(w->n_warned, 0);
	json_decref(root);
}

static void test_written_vector(void **state)
{
	struct world *w = *state;
	json_t *root = vec_load("identity");
	const json_t *v = vec_get(root, "key_file_written");
	struct vec_bytes key = vec_hex(json_array_get(vec_array(root, "keys"), 0), "secret");
	struct fips_keypair kp;
	char text[256], mode[8];
	size_t len;

	assert_int_equal(fips_keypair_from_secret(&kp, &w->c->pk, w->c->secrets, key.p), 0);
	assert_int_equal(fips_keyfile_write_key(&w->env, w->dir, &kp), 0);
	len = get(w, "fips.key", text, sizeof(text));
	vec_expect(v, "content_hex", text, len);
	snprintf(mode, sizeof(mode), "%o", mode_of(w, "fips.key"));
	vec_expect_str(v, "mode", mode);
	assert_int_equal(fips_keyfile_write_pub(&w->env, w->dir, &kp.id), 0);
	len = get(w, "fips.pub", text, sizeof(text));
	assert_int_equal(len, 64);
	assert_memory_equal(text, npub1, 63);
	assert_int_equal(text[63], '\n');
	assert_int_equal(mode_of(w, "fips.pub"), 0644);
	fips_keypair_destroy(&kp);
	free(key.p);
	json_decref(root);
}

/* ------------------------------------------------------------- permissions */

static void test_key_mode_is_forced(void **state)
{
	static const mode_t modes[] = { 0644, 0666, 0400, 0777, 0600 };
	struct world *w = *state;
	struct fips_keypair kp;
	size_t i;

	assert_int_equal(fips_keypair_generate(&kp, &w->c->pk, w->c->secrets, &w->c->rng), 0);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		put(w, "fips.key", "old", 3, modes[i]);
		assert_int_equal(fips_keyfile_write_key(&w->env, w->dir, &kp), 0);
		assert_int_equal(mode_of(w, "fips.key"), 0600);
		assert_false(there(w, "fips.key.tmp"));
	}
	umask(0);
	unlink(path_of(w, "fips.key"));
	assert_int_equal(fips_keyfile_write_key(&w->env, w->dir, &kp), 0);
	assert_int_equal(mode_of(w, "fips.key"), 0600);
	fips_keypair_destroy(&kp);
}

static void test_pub_mode_is_kept(void **state)
{
	static const mode_t modes[] = { 0600, 0640, 0444, 0644 };
	struct world *w = *state;
	struct fips_keypair kp;
	size_t i;

	assert_int_equal(fips_keypair_generate(&kp, &w->c->pk, w->c->secrets, &w->c->rng), 0);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		put(w, "fips.pub", "old", 3, modes[i]);
		assert_int_equal(fips_keyfile_write_pub(&w->env, w->dir, &kp.id), 0);
		assert_int_equal(mode_of(w, "fips.pub"), modes[i]);
	}
	unlink(path_of(w, "fips.pub"));
	umask(077);
	assert_int_equal(fips_keyfile_write_pub(&w->env, w->dir, &kp.id), 0);
	assert_int_equal(mode_of(w, "fips.pub"), 0600);	/* 0644 at creation, less the umask */
	fips_keypair_destroy(&kp);
}

static void test_mode_warnings(void **state)
{
	static const mode_t bad[] = { 0640, 0604, 0610, 0601, 0644, 0666 };
	static const mode_t good[] = { 0600, 0400, 0700 };
	struct world *w = *state;
	struct fips_keypair kp;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put(w, "fips.key", nsec1, 63, bad[i]);
		forget_warnings(w);
		assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "fips.key"), &kp), 0);
		fips_keypair_destroy(&kp);
		assert_int_equal(w->n_warned, 1);
		assert_non_null(strstr(w->warned, "chmod 600"));
		assert_int_equal(mode_of(w, "fips.key"), bad[i]);	/* not repaired */
	}
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		put(w, "fips.key", nsec1, 63, good[i]);
		forget_warnings(w);
		assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "fips.key"), &kp), 0);
		fips_keypair_destroy(&kp);
		assert_int_equal(w->n_warned, 0);
	}
}

static void test_symlinks(void **state)
{
	struct world *w = *state;
	struct fips_keypair kp, other;
	char text[256];

	assert_int_equal(fips_keypair_generate(&other, &w->c->pk, w->c->secrets, &w->c->rng), 0);
	put(w, "elsewhere", nsec1, 63, 0600);
	assert_int_equal(symlink("elsewhere", path_of(w, "fips.key")), 0);
	/* Reading follows it, with a warning. */
	assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "fips.key"), &kp), 0);
	assert_non_null(strstr(w->warned, "is a symlink"));
	fips_keypair_destroy(&kp);
	/* Writing does not. */
	assert_int_equal(fips_keyfile_write_key(&w->env, w->dir, &other), -ELOOP);
	assert_non_null(strstr(w->env.error, "is a symlink"));
	get(w, "elsewhere", text, sizeof(text));
	assert_memory_equal(text, nsec1, 63);
	/* A dangling one neither. */
	unlink(path_of(w, "elsewhere"));
	assert_int_equal(fips_keyfile_write_key(&w->env, w->dir, &other), -ELOOP);
	assert_false(there(w, "elsewhere"));
	assert_int_equal(symlink("elsewhere", path_of(w, "fips.pub")), 0);
	assert_int_equal(fips_keyfile_write_pub(&w->env, w->dir, &other.id), -ELOOP);
	assert_false(there(w, "elsewhere"));
	fips_keypair_destroy(&other);
}

static void test_odd_files(void **state)
{
	struct world *w = *state;
	struct fips_keypair kp;
	char big[4096];

	assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "none"), &kp), -ENOENT);
	assert_int_equal(mkdir(path_of(w, "folder"), 0700), 0);
	assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "folder"), &kp), -EINVAL);
	/* A pipe nobody writes to must not stop the daemon. */
	assert_int_equal(mkfifo(path_of(w, "pipe"), 0600), 0);
	assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "pipe"), &kp), -EINVAL);
	memset(big, ' ', sizeof(big));
	put(w, "big", big, sizeof(big), 0600);
	assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "big"), &kp), -EFBIG);
	put(w, "big", big, 1023, 0600);
	assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "big"), &kp), -EINVAL);
	assert_non_null(strstr(w->env.error, "is empty"));
	/* White space up to the limit around a key */
	memcpy(big + 480, nsec1, 63);
	put(w, "big", big, 1023, 0600);
	assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "big"), &kp), 0);
	fips_keypair_destroy(&kp);
}

/* ------------------------------------------------------------- whole or not */

/* A full disk: the old key must survive. */
static void test_write_failure_keeps_old(void **state)
{
	struct rlimit old, none = { 0 };
	struct world *w = *state;
	struct fips_keypair kp;
	char text[256];

	assert_int_equal(fips_keypair_generate(&kp, &w->c->pk, w->c->secrets, &w->c->rng), 0);
	put(w, "fips.key", nsec1, 63, 0600);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(fips_keyfile_write_key(&w->env, w->dir, &kp), -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(w->env.error, "can't write"));
	get(w, "fips.key", text, sizeof(text));
	assert_memory_equal(text, nsec1, 63);
	assert_false(there(w, "fips.key.tmp"));
	fips_keypair_destroy(&kp);
}

/* What a crash left behind is in nobody's way. */
static void test_stale_temporary(void **state)
{
	struct world *w = *state;
	struct fips_keypair kp;

	assert_int_equal(fips_keypair_generate(&kp, &w->c->pk, w->c->secrets, &w->c->rng), 0);
	assert_int_equal(symlink("elsewhere", path_of(w, "fips.key.tmp")), 0);
	assert_int_equal(fips_keyfile_write_key(&w->env, w->dir, &kp), 0);
	assert_false(there(w, "elsewhere"));
	assert_false(there(w, "fips.key.tmp"));
	fips_keypair_destroy(&kp);
}

static void test_folders_are_created(void **state)
{
	struct world *w = *state;
	struct fips_keypair kp, back;
	char dir[128];

	snprintf(dir, sizeof(dir), "%s/a/b/c", w->dir);
	assert_int_equal(fips_keypair_generate(&kp, &w->c->pk, w->c->secrets, &w->c->rng), 0);
	assert_int_equal(fips_keyfile_write_key(&w->env, dir, &kp), 0);
	assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "a/b/c/fips.key"), &back), 0);
	assert_memory_equal(back.secret, kp.secret, 32);
	fips_keypair_destroy(&back);
	/* A file where a folder should be */
	put(w, "file", "x", 1, 0600);
	snprintf(dir, sizeof(dir), "%s/file/c", w->dir);
	assert_true(fips_keyfile_write_key(&w->env, dir, &kp) < 0);
	fips_keypair_destroy(&kp);
}

/* -------------------------------------------------------------- precedence */

static void test_nsec_wins(void **state)
{
	struct world *w = *state;
	enum fips_key_source source;
	struct fips_keypair kp;
	int persistent;

	put(w, "fips.key", "garbage", 7, 0600);
	for (persistent = 0; persistent < 2; persistent++) {
		assert_int_equal(resolve(w, nsec1, persistent, &kp, &source), 0);
		assert_int_equal(source, FIPS_KEY_FROM_CONFIG);
		assert_string_equal(kp.id.npub, npub1);
		fips_keypair_destroy(&kp);
	}
	assert_int_equal(resolve(w, hex1, true, &kp, &source), 0);
	assert_string_equal(kp.id.npub, npub1);
	fips_keypair_destroy(&kp);
	assert_int_equal(resolve(w, "nsec1nonsense", true, &kp, &source), -EINVAL);
	assert_non_null(strstr(w->env.error, "node.identity.nsec"));
	assert_null(strstr(w->env.error, "nonsense"));	/* may be half of a secret */
	assert_int_equal(resolve(w, "", false, &kp, &source), -EINVAL);
	/* No file was touched. */
	assert_false(there(w, "fips.pub"));
	assert_int_equal(mode_of(w, "fips.key"), 0600);
	assert_int_equal(w->n_warned, 0);
}

static void test_persistent_loads(void **state)
{
	struct world *w = *state;
	enum fips_key_source source;
	struct fips_keypair kp;
	char text[256];

	put(w, "fips.key", nsec1, 63, 0600);
	put(w, "fips.pub", "stale", 5, 0600);
	assert_int_equal(resolve(w, NULL, true, &kp, &source), 0);
	assert_int_equal(source, FIPS_KEY_FROM_FILE);
	assert_string_equal(kp.id.npub, npub1);
	fips_keypair_destroy(&kp);
	get(w, "fips.pub", text, sizeof(text));
	assert_memory_equal(text, npub1, 63);
	assert_int_equal(w->n_warned, 0);
	/* A bad key file stops the start and stays as it is. */
	put(w, "fips.key", "garbage", 7, 0600);
	assert_int_equal(resolve(w, NULL, true, &kp, &source), -EINVAL);
	assert_int_equal(get(w, "fips.key", text, sizeof(text)), 7);
	put(w, "fips.key", "", 0, 0600);
	assert_int_equal(resolve(w, NULL, true, &kp, &source), -EINVAL);
	assert_non_null(strstr(w->env.error, "is empty"));
}

static void test_persistent_creates_and_keeps(void **state)
{
	struct world *w = *state;
	enum fips_key_source source;
	struct fips_keypair first, second;

	assert_int_equal(resolve(w, NULL, true, &first, &source), 0);
	assert_int_equal(source, FIPS_KEY_CREATED);
	assert_int_equal(mode_of(w, "fips.key"), 0600);
	assert_int_equal(mode_of(w, "fips.pub"), 0644);
	assert_int_equal(resolve(w, NULL, true, &second, &source), 0);
	assert_int_equal(source, FIPS_KEY_FROM_FILE);
	assert_memory_equal(first.secret, second.secret, 32);
	assert_int_equal(w->n_warned, 0);
	fips_keypair_destroy(&first);
	fips_keypair_destroy(&second);
}

static void test_persistent_dangling_symlink(void **state)
{
	struct world *w = *state;
	enum fips_key_source source;
	struct fips_keypair kp;

	assert_int_equal(symlink("nowhere", path_of(w, "fips.key")), 0);
	assert_int_equal(resolve(w, NULL, true, &kp, &source), 0);
	assert_int_equal(source, FIPS_KEY_EPHEMERAL);
	assert_non_null(strstr(w->warned, "will be lost"));
	assert_false(there(w, "nowhere"));
	fips_keypair_destroy(&kp);
}

static void test_ephemeral_changes(void **state)
{
	struct world *w = *state;
	enum fips_key_source source;
	struct fips_keypair first, second, file;

	assert_int_equal(resolve(w, NULL, false, &first, &source), 0);
	assert_int_equal(source, FIPS_KEY_EPHEMERAL);
	assert_int_equal(w->n_warned, 0);
	assert_int_equal(mode_of(w, "fips.key"), 0600);
	/* The next start overwrites what the first one wrote, and says so. */
	assert_int_equal(resolve(w, NULL, false, &second, &source), 0);
	assert_memory_not_equal(first.secret, second.secret, 32);
	assert_int_equal(w->n_warned, 1);
	assert_non_null(strstr(w->warned, "node.identity.persistent"));
	assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "fips.key"), &file), 0);
	assert_memory_equal(file.secret, second.secret, 32);
	fips_keypair_destroy(&first);
	fips_keypair_destroy(&second);
	fips_keypair_destroy(&file);
}

/* The trap of 01 §5.2: somebody's key at that path is not destroyed. */
static void test_ephemeral_spares_foreign_keys(void **state)
{
	static const char *const contents[] = { nsec1, "garbage", "" };
	struct world *w = *state;
	enum fips_key_source source;
	struct fips_keypair kp;
	char text[256];
	size_t i;

	for (i = 0; i < 3; i++) {
		put(w, "fips.key", contents[i], strlen(contents[i]), 0640);
		forget_warnings(w);
		assert_int_equal(resolve(w, NULL, false, &kp, &source), 0);
		assert_int_equal(source, FIPS_KEY_EPHEMERAL);
		fips_keypair_destroy(&kp);
		assert_int_equal(get(w, "fips.key", text, sizeof(text)), strlen(contents[i]));
		assert_string_equal(text, contents[i]);
		assert_non_null(strstr(w->warned, "node.identity.persistent"));
		assert_false(there(w, "fips.pub"));
	}
	/* A dangling symlink is somebody's, too. */
	unlink(path_of(w, "fips.key"));
	assert_int_equal(symlink("nowhere", path_of(w, "fips.key")), 0);
	forget_warnings(w);
	assert_int_equal(resolve(w, NULL, false, &kp, &source), 0);
	fips_keypair_destroy(&kp);
	assert_int_equal(w->n_warned, 1);
	assert_false(there(w, "nowhere"));
}

/* Once a start with persistent: true has used a key, it is no longer an ephemeral one. */
static void test_ephemeral_key_adopted(void **state)
{
	struct world *w = *state;
	enum fips_key_source source;
	struct fips_keypair one, two, three;

	assert_int_equal(resolve(w, NULL, false, &one, &source), 0);
	assert_int_equal(resolve(w, NULL, true, &two, &source), 0);
	assert_int_equal(source, FIPS_KEY_FROM_FILE);
	assert_memory_equal(one.secret, two.secret, 32);
	assert_int_equal(resolve(w, NULL, false, &three, &source), 0);
	fips_keypair_destroy(&three);
	assert_int_equal(resolve(w, NULL, true, &three, &source), 0);
	assert_memory_equal(one.secret, three.secret, 32);
	fips_keypair_destroy(&one);
	fips_keypair_destroy(&two);
	fips_keypair_destroy(&three);
}

static void test_unwritable_folder(void **state)
{
	struct world *w = *state;
	enum fips_key_source source;
	struct fips_keypair kp;
	int persistent;

	/* Root may write anywhere, but not below a file. */
	put(w, "file", "x", 1, 0600);
	strcat(w->dir, "/file");
	for (persistent = 0; persistent < 2; persistent++) {
		forget_warnings(w);
		assert_int_equal(resolve(w, NULL, persistent, &kp, &source), 0);
		assert_int_equal(source, FIPS_KEY_EPHEMERAL);
		assert_int_equal(w->n_warned, 2);	/* key and pub */
		fips_keypair_destroy(&kp);
	}
	*strrchr(w->dir, '/') = '\0';
}

static void test_random_failure(void **state)
{
	struct world *w = *state;
	enum fips_key_source source;
	struct fips_keypair kp;

	w->c->random.fail = -EIO;
	assert_int_equal(resolve(w, NULL, false, &kp, &source), -EIO);
	assert_int_equal(resolve(w, NULL, true, &kp, &source), -EIO);
	assert_false(there(w, "fips.key"));
	w->c->random.fail = 0;
}

/* ------------------------------------------------------------------ keygen */

static void test_keygen(void **state)
{
	struct world *w = *state;
	struct fips_keypair kp, back;

	assert_int_equal(fips_keyfile_keygen(&w->env, w->dir, false, &kp), 0);
	assert_int_equal(fips_keyfile_read(&w->env, path_of(w, "fips.key"), &back), 0);
	assert_memory_equal(kp.secret, back.secret, 32);
	fips_keypair_destroy(&back);
	fips_keypair_destroy(&kp);
	assert_int_equal(fips_keyfile_keygen(&w->env, w->dir, false, &kp), -EEXIST);
	assert_non_null(strstr(w->env.error, "--force"));
	assert_int_equal(fips_keyfile_keygen(&w->env, w->dir, true, &kp), 0);
	fips_keypair_destroy(&kp);
	/* A dangling symlink counts as there, and --force does not follow it. */
	unlink(path_of(w, "fips.key"));
	assert_int_equal(symlink("nowhere", path_of(w, "fips.key")), 0);
	assert_int_equal(fips_keyfile_keygen(&w->env, w->dir, false, &kp), -EEXIST);
	assert_int_equal(fips_keyfile_keygen(&w->env, w->dir, true, &kp), -ELOOP);
	assert_int_equal(w->n_warned, 0);
}

/* Unicode white space, exactly: everything up to U+3100 around a key. */
static bool is_white_space(unsigned int c)
{
	return (c >= 9 && c <= 13) || c == 32 || c == 0x85 || c == 0xa0 || c == 0x1680 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
	       c == 0x205f || c == 0x3000;
}

static size_t utf8(unsigned int c, char *p)
{
	if (c < 0x80) {
		p[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (char)(0xc0 | c >> 6);
		p[1] = (char)(0x80 | (c & 63));
		return 2;
	}
	p[0] = (char)(0xe0 | c >> 12);
	p[1] = (char)(0x80 | (c >> 6 & 63));
	p[2] = (char)(0x80 | (c & 63));
	return 3;
}

static void test_trimming(void **state)
{
	struct world *w = *state;
	struct fips_keypair kp;
	unsigned int c;
	int front;

	for (c = 0; c < 0x3100; c++) {
		for (front = 0; front < 2; front++) {
			char text[80];
			size_t n = front ? utf8(c, text) : 0;
			int ret;

			memcpy(text + n, nsec1, 63);
			n += 63;
			if (!front)
				n += utf8(c, text + n);
			ret = fips_keyfile_parse(&w->env, "x", text, n, &kp);
			if (!ret)
				fips_keypair_destroy(&kp);
			if (!ret != is_white_space(c))
				fail_msg("U+%04X: %d", c, ret);
		}
	}
}

#define keyfile_test(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		keyfile_test(test_reading_vectors),
		keyfile_test(test_written_vector),
		keyfile_test(test_key_mode_is_forced),
		keyfile_test(test_pub_mode_is_kept),
		keyfile_test(test_mode_warnings),
		keyfile_test(test_symlinks),
		keyfile_test(test_odd_files),
		keyfile_test(test_write_failure_keeps_old),
		keyfile_test(test_stale_temporary),
		keyfile_test(test_folders_are_created),
		keyfile_test(test_nsec_wins),
		keyfile_test(test_persistent_loads),
		keyfile_test(test_persistent_creates_and_keeps),
		keyfile_test(test_persistent_dangling_symlink),
		keyfile_test(test_ephemeral_changes),
		keyfile_test(test_ephemeral_spares_foreign_keys),
		keyfile_test(test_ephemeral_key_adopted),
		keyfile_test(test_unwritable_folder),
		keyfile_test(test_random_failure),
		keyfile_test(test_keygen),
		keyfile_test(test_trimming),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
