// SPDX-License-Identifier: MIT
/* One run from scenario to verdict. */
#include <inttypes.h>

#include "run.h"
#include "sim.h"

static int run_verdict(struct sim *s, const struct sim_output *out)
{
	if (!s->failure.name)
		return 0;
	fflush(stdout);
	fprintf(stderr, "fipssim: invariant %s broken at %" PRIu64 ".%06" PRIu64 " s: %s\n",
		s->failure.name, s->failure.at / SIM_SEC, s->failure.at % SIM_SEC,
		s->failure.text);
	fprintf(stderr, "fipssim: again: %s\n", out->again);
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
	ret = run_verdict(s, out);
	sim_free(s);
	return ret;
}
