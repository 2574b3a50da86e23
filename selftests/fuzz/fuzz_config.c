// SPDX-License-Identifier: MIT
/*
 * Any text as a configuration, on top of nothing and on top of itself.
 */
#include "fipsd/config.h"
#include "fuzz.h"

static const struct fips_pk pk = { &fake_ops, NULL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fips_report rep;
	struct fips_config *cfg = fips_config_new();
	const char *text = (const char *)data;
	int first, again;

	FUZZ_CHECK(cfg);
	first = fips_config_load_text(cfg, "fuzz", text, size, &rep);
	FUZZ_CHECK(!first == !rep.errors);
	again = fips_config_load_text(cfg, "fuzz", text, size, &rep);
	FUZZ_CHECK(!first == !again);
	if (!first) {
		FUZZ_CHECK(cfg->tun.name && cfg->log_level);
		FUZZ_CHECK(!fips_config_check(cfg, &pk, &rep) == !rep.errors);
	}
	fips_report_clear(&rep);
	fips_config_free(cfg);
	return 0;
}
