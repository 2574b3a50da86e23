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

#include "cli.h"
#include "queue.h"

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

static int swarm_one(const struct sim_swarm *sw, u64 seed)
{
	struct sim_output out = { .text = sw->show ? stdout : NULL };
	struct sim_scenario sc;
	int ret;

	sim_scenario_draw(&sc, seed);
	sc.memo = sw->memo;
	sc.trace = sw->trace;
	if (sw->show)
		sim_cli_print(&sc, stdout);
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
