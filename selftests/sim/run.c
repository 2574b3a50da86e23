// SPDX-License-Identifier: MIT
/* One run from scenario to verdict. */
#include <inttypes.h>

#include "cli.h"
#include "sim.h"

static int run_verdict(struct sim *s)
{
	if (!s->failure.name)
		return 0;
	fflush(stdout);
	fprintf(stderr, "fipssim: invariant %s broken at %" PRIu64 ".%06" PRIu64 " s: %s\n",
		s->failure.name, s->failure.at / SIM_SEC, s->failure.at % SIM_SEC,
		s->failure.text);
	fputs("again: ", stderr);
	sim_cli_print(s->sc, stderr);
	return 1;
}

int sim_run_scenario(const struct sim_scenario *sc, const struct sim_output *out)
{
	char why[200] = "";
	struct sim *s;
	int ret;

	if (sim_new(&s, sc, why, sizeof(why))) {
		fprintf(stderr, "fipssim: %s\n", why);
		return 2;
	}
	sim_run(s);
	ret = out->plot ? sim_plot(s, out->plot) : 0;
	if (ret)
		fprintf(stderr, "fipssim: %s: %s\n", out->plot, strerror(-ret));
	sim_finish(s);
	if (out->text)
		sim_report_text(s, out->text);
	if (out->json)
		sim_report_json(s, out->json);
	ret = run_verdict(s);
	sim_free(s);
	return ret;
}
