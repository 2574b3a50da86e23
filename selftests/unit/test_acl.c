// SPDX-License-Identifier: MIT
/*
 * Access lists: the decision (spec 03 §17.3), the files (13 §10), and the names
 * of the hosts file that both they and the responder use.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>

#include "fipsd/acl_file.h"

#define NPUB_A	"npub1sjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jcqawh57m"
#define NPUB_B	"npub1tdwa4vjrjl33pcjdpf2t4p027nl86xrx24g4d3avg4vwvayr3g8qhd84le"
#define HEX_A	"84bf7562262bbd6940085748f3be6afa52ae317155181ece31b66351ccffa4b0"
#define BAD_NPUB "npub1sjlh2c3x9w7kjsqg2ay080n2lff2uvt325vpan33ke34rn8l5jcqawh57q"

struct world {
	struct fips_pk pk;
	struct fips_hosts hosts;
	struct fipsd_acl acl;
	struct fips_identity a;
	struct fips_identity b;
	unsigned int warnings;
	char last[256];
	char dir[32];
	char allow[64];
	char deny[64];
};

static int no_random(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	memset(buf, 7, len);
	return 0;
}

static void warned(void *ctx, const char *sentence)
{
	struct world *w = ctx;

	w->warnings++;
	snprintf(w->last, sizeof(w->last), "%s", sentence);
}

static int set_up(void **state)
{
	static const struct fips_rng rng = { .random = no_random };
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(fips_pk_init(&w->pk, &rng), 0);
	assert_true(fips_identity_from_npub(&w->pk, NPUB_A, strlen(NPUB_A), &w->a) >= 0);
	assert_true(fips_identity_from_npub(&w->pk, NPUB_B, strlen(NPUB_B), &w->b) >= 0);
	strcpy(w->dir, "/tmp/fips-acl-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->allow, sizeof(w->allow), "%s/allow", w->dir);
	snprintf(w->deny, sizeof(w->deny), "%s/deny", w->dir);
	w->hosts.warn = warned;
	w->hosts.ctx = w;
	w->acl.allow.path = w->allow;
	w->acl.deny.path = w->deny;
	w->acl.warn = warned;
	w->acl.ctx = w;
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	fipsd_acl_clear(&w->acl);
	fips_hosts_clear(&w->hosts);
	unlink(w->allow);
	rmdir(w->deny);
	unlink(w->deny);
	rmdir(w->dir);
	fips_pk_destroy(&w->pk);
	free(w);
	return 0;
}

/* ---- decision ---- */

static struct fips_node_addr numbered(unsigned int i)
{
	struct fips_node_addr addr = { 0 };

	addr.b[0] = (u8)(i * 37);
	addr.b[1] = (u8)i;
	return addr;
}

static void many_entries(void **state)
{
	struct fips_acl acl = { 0 }, copy;
	struct fips_node_addr addr;
	unsigned int i;

	(void)state;
	for (i = 0; i < 400; i++) {
		addr = numbered(i % 200);
		assert_int_equal(fips_acl_list_add(&acl.deny, &addr), 0);
	}
	assert_int_equal(acl.deny.n, 200);
	assert_int_equal(fips_acl_copy(&copy, &acl), 0);
	fips_acl_clear(&acl);
	for (i = 0; i < 256; i++) {
		addr = numbered(i);
		assert_int_equal(fips_acl_decide(&copy, &addr),
				 i < 200 ? FIPS_ACL_DENY_LISTED : FIPS_ACL_DEFAULT);
	}
	fips_acl_clear(&copy);
}

/* Every combination of the table: allow {-, me, all} x deny {-, me, all}. */
static void precedence(void **state)
{
	static const struct {
		const char *allow, *deny, *mode;
		bool me, other;
	} cases[] = {
		{ "", "", "default_open", true, true },
		{ "", NPUB_A, "denylist", false, true },
		{ "", "all", "deny_all", false, false },
		{ NPUB_A, "", "allowlist", true, true },
		{ NPUB_A, NPUB_A, "allow_then_deny", true, true },
		{ NPUB_B, NPUB_A, "allow_then_deny", false, true },
		{ NPUB_A, "ALL", "allow_then_deny_all", true, false },
		{ "All", "", "allow_all", true, true },
		{ "aLL", "ALL\n" NPUB_A, "allow_all", true, true },
	};
	struct world *w = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fipsd_acl_clear(&w->acl);
		assert_int_equal(fipsd_acl_parse(&w->acl, &w->acl.allow, &w->hosts, &w->pk,
						 cases[i].allow, strlen(cases[i].allow)), 0);
		assert_int_equal(fipsd_acl_parse(&w->acl, &w->acl.deny, &w->hosts, &w->pk,
						 cases[i].deny, strlen(cases[i].deny)), 0);
		assert_string_equal(fips_acl_mode(&w->acl.acl), cases[i].mode);
		assert_int_equal(fips_acl_active(&w->acl.acl), i > 0);
		assert_int_equal(fips_acl_verdict_allows(fips_acl_decide(&w->acl.acl, &w->a.addr)),
				 cases[i].me);
		assert_int_equal(fips_acl_verdict_allows(fips_acl_decide(&w->acl.acl, &w->b.addr)),
				 cases[i].other);
	}
	assert_int_equal(w->warnings, 0);
	assert_string_equal(fips_acl_verdict_name(FIPS_ACL_DENY_LISTED), "denylist match");
}

/* ---- files ---- */

static void parse_deny(struct world *w, const char *text, size_t len)
{
	/* An exact copy: ASan sees a byte too far. */
	char *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	w->warnings = 0;
	fipsd_acl_clear(&w->acl);
	assert_int_equal(fipsd_acl_parse(&w->acl, &w->acl.deny, &w->hosts, &w->pk, copy, len), 0);
	free(copy);
}

static void lines(void **state)
{
	static const struct {
		const char *text;
		unsigned int entries, warnings;
		bool all;
	} cases[] = {
		{ "", 0, 0, false },
		{ "\n\n  \t\n# nothing\n   # nothing\n", 0, 0, false },
		{ NPUB_A, 1, 0, false },
		{ NPUB_A "\n" NPUB_B "\n", 2, 0, false },
		{ "  " NPUB_A "\t# a friend\r\n", 1, 0, false },
		{ NPUB_A "#" NPUB_B "\n", 1, 0, false },
		{ NPUB_A " " NPUB_B "\n" NPUB_B "\n", 1, 1, false },
		{ "bob\n", 1, 0, false },
		{ "BOB # loud\n", 1, 0, false },
		{ "nobody\n" NPUB_A "\n", 1, 1, false },
		{ "ALL\nall\nAlL#\n", 0, 0, true },
		{ "ALLE\nA\n", 0, 2, false },
		/* No hexadecimal keys (03 §17.2) */
		{ HEX_A "\n", 0, 1, false },
		{ BAD_NPUB "\n", 0, 1, false },
	};
	struct world *w = *state;
	size_t i;

	assert_int_equal(fips_hosts_add(&w->hosts, "bob", &w->b), 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		parse_deny(w, cases[i].text, strlen(cases[i].text));
		assert_int_equal(w->acl.deny.n, cases[i].entries);
		assert_int_equal(w->warnings, cases[i].warnings);
		assert_int_equal(w->acl.acl.deny.all, cases[i].all);
		assert_int_equal(w->acl.acl.allow.n, 0);
	}
	parse_deny(w, "bob\0x\n" NPUB_A "\n", 6 + sizeof(NPUB_A));
	assert_int_equal(w->acl.deny.n, 1);
	assert_int_equal(w->warnings, 1);
	parse_deny(w, "bob", 3);
	assert_string_equal(w->acl.deny.v[0].token, "bob");
	assert_string_equal(w->acl.deny.v[0].npub, NPUB_B);
}

static void write_file(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

static void load_and_reload(void **state)
{
	struct world *w = *state;

	assert_int_equal(fipsd_acl_load(&w->acl, &w->hosts, &w->pk, true), 0);
	assert_false(fips_acl_active(&w->acl.acl));
	assert_false(fipsd_acl_stale(&w->acl));
	write_file(w->deny, NPUB_A "\n");
	assert_true(fipsd_acl_stale(&w->acl));
	assert_int_equal(fipsd_acl_load(&w->acl, &w->hosts, &w->pk, false), 0);
	assert_false(fipsd_acl_stale(&w->acl));
	assert_int_equal(fips_acl_decide(&w->acl.acl, &w->a.addr), FIPS_ACL_DENY_LISTED);
	/* Replaced within the same instant of the clock, by another file */
	write_file(w->allow, "all\n");
	assert_true(fipsd_acl_stale(&w->acl));
	assert_int_equal(fipsd_acl_load(&w->acl, &w->hosts, &w->pk, false), 0);
	assert_int_equal(fips_acl_decide(&w->acl.acl, &w->a.addr), FIPS_ACL_ALLOW_ALL);
	unlink(w->allow);
	unlink(w->deny);
	assert_true(fipsd_acl_stale(&w->acl));
	assert_int_equal(fipsd_acl_load(&w->acl, &w->hosts, &w->pk, false), 0);
	assert_false(fips_acl_active(&w->acl.acl));
	assert_int_equal(w->warnings, 0);
}

/* A list that can't be read must not open the door (03 §17.4, 13 §13). */
static void unreadable(void **state)
{
	struct world *w = *state;

	write_file(w->deny, NPUB_A "\n");
	assert_int_equal(fipsd_acl_load(&w->acl, &w->hosts, &w->pk, true), 0);
	unlink(w->deny);
	assert_int_equal(mkdir(w->deny, 0755), 0);
	assert_true(fipsd_acl_stale(&w->acl));
	assert_true(fipsd_acl_load(&w->acl, &w->hosts, &w->pk, false) < 0);
	assert_false(fipsd_acl_stale(&w->acl));	/* not again every second */
	assert_int_equal(fips_acl_decide(&w->acl.acl, &w->a.addr), FIPS_ACL_DENY_LISTED);
	assert_int_equal(fips_acl_decide(&w->acl.acl, &w->b.addr), FIPS_ACL_DEFAULT);

	/* Nothing to keep at the start: only who is allowed comes in. */
	write_file(w->allow, NPUB_B "\n");
	assert_int_equal(fipsd_acl_load(&w->acl, &w->hosts, &w->pk, true), 0);
	assert_int_equal(fips_acl_decide(&w->acl.acl, &w->a.addr), FIPS_ACL_DENY_ALL);
	assert_int_equal(fips_acl_decide(&w->acl.acl, &w->b.addr), FIPS_ACL_ALLOW_LISTED);
	assert_true(w->warnings >= 2);
}

/* ---- hosts ---- */

static void hosts_names(void **state)
{
	struct world *w = *state;
	struct fips_identity id;

	assert_int_equal(fips_hosts_add(&w->hosts, "Friend", &w->a), 0);
	assert_int_equal(fips_hosts_add(&w->hosts, "other", &w->a), 0);
	assert_string_equal(fips_hosts_by_addr(&w->hosts, &w->a.addr)->name, "friend");
	/* The later entry of a name wins; the node is shown by the name it has left. */
	assert_int_equal(fips_hosts_add(&w->hosts, "FRIEND", &w->b), 0);
	assert_int_equal(w->hosts.n, 2);
	assert_string_equal(fips_hosts_by_addr(&w->hosts, &w->a.addr)->name, "other");
	assert_string_equal(fips_hosts_by_addr(&w->hosts, &w->b.addr)->name, "friend");
	assert_int_equal(fips_hosts_resolve(&w->hosts, &w->pk, "fRiend", 6, &id), 0);
	assert_string_equal(id.npub, NPUB_B);
	assert_int_equal(fips_hosts_add(&w->hosts, "-bad", &w->a), -EINVAL);
	assert_int_equal(fips_hosts_add(&w->hosts, "npub1x", &w->a), -EINVAL);
	assert_true(fips_hosts_resolve(&w->hosts, &w->pk, "", 0, &id) < 0);
	assert_true(fips_hosts_resolve(&w->hosts, &w->pk, "friend\0", 7, &id) < 0);
	fips_hosts_clear(&w->hosts);
	assert_null(fips_hosts_by_name(&w->hosts, "other"));
	assert_null(fips_hosts_by_addr(&w->hosts, &w->a.addr));
}

static void hosts_file(void **state)
{
	struct world *w = *state;

	write_file(w->allow, "# friends\n\n a " NPUB_A " \nb\t" NPUB_B "\n"
		   "c " NPUB_B " # no comment here\nd\n-e " NPUB_A "\nf npub1x\nA " NPUB_B "\n");
	assert_int_equal(fips_hosts_load(&w->hosts, &w->pk, w->allow), 0);
	assert_int_equal(w->hosts.n, 2);
	assert_int_equal(w->warnings, 4);
	assert_string_equal(fips_hosts_by_name(&w->hosts, "a")->id.npub, NPUB_B);
	assert_false(fips_hosts_stale(&w->hosts, w->allow));
	unlink(w->allow);
	assert_true(fips_hosts_stale(&w->hosts, w->allow));
}

#define TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_entries),
		TEST(precedence),
		TEST(lines),
		TEST(load_and_reload),
		TEST(unreadable),
		TEST(hosts_names),
		TEST(hosts_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
