// SPDX-License-Identifier: MIT
/*
 * Many runs, each of a scenario drawn from its own seed. Each is a process, so
 * that one that dies is one that failed; results are told in order.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "queue.h"
#include "run.h"

/* A run under way; @out holds what it said. */
struct swarm_job {
	pid_t pid;
	FILE *out;
	u64 seed;
};

static u64 swarm_seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec;
}

static void swarm_show(const struct sim_scenario *sc, FILE *f)
{
	fprintf(f, "# %u nodes, %s of degree %u, %" PRIu64 " s; delay %" PRIu64 " us, loss %u, "
		"dup %u, reorder %u, corrupt %u, replay %u ppm; upcalls lost %u ppm, ops fail %u "
		"ppm, late %" PRIu64 " us\n", sc->topo.nodes, sim_topo_names[sc->topo.kind],
		sc->topo.degree, sc->duration / SIM_SEC, sc->wire.delay, sc->wire.loss,
		sc->wire.dup, sc->wire.reorder, sc->wire.corrupt, sc->wire.replay, sc->plane.loss,
		sc->plane.op_fail, sc->plane.op_late);
	fputs(sc->faults, f);
}

static int swarm_one(const struct sim_swarm *sw, u64 seed)
{
	struct sim_output out = { .text = sw->show ? stdout : NULL };
	struct sim_scenario sc;
	char again[80];
	int ret;

	snprintf(again, sizeof(again), "fipssim swarm --runs 1 --seed %" PRIu64 " --show%s", seed,
		 sw->memo ? "" : " --crypto real");
	out.again = again;
	sim_scenario_draw(&sc, seed);
	sc.memo = sw->memo;
	sc.trace = sw->trace;
	if (sw->show)
		swarm_show(&sc, stdout);
	ret = sim_run_scenario(&sc, &out);
	sim_scenario_free(&sc);
	return ret;
}

static void swarm_spawn(const struct sim_swarm *sw, struct swarm_job *j, u64 seed)
{
	*j = (struct swarm_job) { .out = tmpfile(), .seed = seed };
	if (!j->out)
		exit(3);
	fflush(NULL);
	j->pid = fork();
	if (j->pid < 0)
		exit(3);
	if (j->pid)
		return;
	dup2(fileno(j->out), STDOUT_FILENO);
	dup2(fileno(j->out), STDERR_FILENO);
	exit(swarm_one(sw, seed));
}

/* Wait for the oldest and tell what it said, if that is worth telling. */
static bool swarm_reap(const struct sim_swarm *sw, struct swarm_job *j)
{
	bool ok = false;
	int status, c;

	if (waitpid(j->pid, &status, 0) == j->pid)
		ok = WIFEXITED(status) && !WEXITSTATUS(status);
	rewind(j->out);
	while ((!ok || sw->show) && (c = getc(j->out)) != EOF)
		putchar(c);
	fclose(j->out);
	if (!ok)
		printf("not ok - seed %" PRIu64 " (%s %d)\n", j->seed,
		       WIFSIGNALED(status) ? "signal" : "status",
		       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	return ok;
}

int sim_swarm_run(const struct sim_swarm *sw)
{
	u64 started = 0, done = 0, failed = 0, begin = swarm_seconds(), told = begin;
	u32 jobs = sw->jobs ? sw->jobs : 1;
	struct swarm_job *job = sim_zalloc(jobs, sizeof(*job));

	while (done < started || started < sw->runs) {
		if (sw->seconds && swarm_seconds() >= begin + sw->seconds && done == started)
			break;
		if (started < sw->runs && started - done < jobs &&
		    (!sw->seconds || swarm_seconds() < begin + sw->seconds)) {
			swarm_spawn(sw, &job[started % jobs], sw->seed + started);
			started++;
			continue;
		}
		failed += !swarm_reap(sw, &job[done++ % jobs]);
		if (swarm_seconds() >= told + 5) {
			told = swarm_seconds();
			fprintf(stderr, "fipssim: %" PRIu64 " of %" PRIu64 " runs, %" PRIu64
				" failed\n", done, sw->runs, failed);
		}
	}
	printf("%" PRIu64 " runs from seed %" PRIu64 " on, %" PRIu64 " failed, %" PRIu64 " s\n",
	       done, sw->seed, failed, swarm_seconds() - begin);
	free(job);
	return failed ? 1 : 0;
}
