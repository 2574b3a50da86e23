// SPDX-License-Identifier: MIT
/*
 * The lock is the truth, not the number in the file: a record lock goes with
 * its process, and F_GETLK names who holds it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "paths.h"
#include "service.h"

#define POLL_MS		20
#define SPARE_SECS	10	/* a stop may take this much longer than the drain */

void fipsd_service_init(struct fipsd_service *s, const char *control_path)
{
	size_t len = strlen(control_path);

	if (len > 5 && !strcmp(control_path + len - 5, ".sock"))
		len -= 5;
	snprintf(s->pid_path, sizeof(s->pid_path), "%.*s.pid", (int)len, control_path);
	snprintf(s->log_path, sizeof(s->log_path), "%.*s.log", (int)len, control_path);
	s->lock_fd = -1;
	s->ready_fd = -1;
}

static int set_lock(int fd, int command, struct flock *fl)
{
	*fl = (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
	return fcntl(fd, command, fl) ? -errno : 0;
}

int fipsd_service_lock(struct fipsd_service *s)
{
	struct flock fl;
	bool made;
	int fd, ret;

	ret = fips_make_parents(s->pid_path, &made);
	if (ret)
		return ret;
	fd = open(s->pid_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return -errno;
	ret = set_lock(fd, F_SETLK, &fl);
	if (ret) {
		close(fd);
		return ret == -EACCES || ret == -EAGAIN ? -EBUSY : ret;
	}
	if (ftruncate(fd, 0) || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
		ret = -errno;
		close(fd);
		return ret;
	}
	s->lock_fd = fd;
	return 0;
}

void fipsd_service_unlock(struct fipsd_service *s)
{
	if (s->lock_fd < 0)
		return;
	unlink(s->pid_path);
	close(s->lock_fd);
	s->lock_fd = -1;
}

pid_t fipsd_service_holder(const struct fipsd_service *s)
{
	int fd = open(s->pid_path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct flock fl;
	pid_t pid = 0;

	if (fd < 0)
		return 0;
	if (!set_lock(fd, F_GETLK, &fl) && fl.l_type != F_UNLCK)
		pid = fl.l_pid;
	close(fd);
	return pid;
}

/* ---- start ---- */

static int wait_ready(int fd, pid_t child)
{
	unsigned char code = 1;
	int status;
	ssize_t n;

	do {
		n = read(fd, &code, 1);
	} while (n < 0 && errno == EINTR);
	if (n == 1 && !code)
		return 0;
	if (waitpid(child, &status, 0) != child)
		return 1;
	if (WIFSIGNALED(status))
		fprintf(stderr, "fipsd: the daemon died: %s\n", strsignal(WTERMSIG(status)));
	return n == 1 ? code : WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1;
}

int fipsd_service_background(struct fipsd_service *s)
{
	int fds[2], code;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		perror("fipsd: pipe");
		return 1;
	}
	pid = fork();
	if (pid < 0) {
		perror("fipsd: fork");
		close(fds[0]);
		close(fds[1]);
		return 1;
	}
	if (pid) {
		close(fds[1]);
		code = wait_ready(fds[0], pid);
		close(fds[0]);
		return code;
	}
	close(fds[0]);
	s->ready_fd = fds[1];
	setsid();
	return -1;
}

void fipsd_service_ready(struct fipsd_service *s, int code)
{
	unsigned char byte = (unsigned char)code;
	int null, log;

	if (s->ready_fd < 0)
		return;
	if (!code) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		log = open(s->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
			   0640);
		if (null >= 0) {
			dup2(null, STDIN_FILENO);
			dup2(null, STDOUT_FILENO);
		}
		if (log >= 0 || null >= 0)
			dup2(log >= 0 ? log : null, STDERR_FILENO);
		if (null > STDERR_FILENO)
			close(null);
		if (log > STDERR_FILENO)
			close(log);
	}
	if (write(s->ready_fd, &byte, 1) < 0)
		fprintf(stderr, "fipsd: nobody waits for the start\n");
	close(s->ready_fd);
	s->ready_fd = -1;
}

/* ---- stop, status ---- */

static void nap(void)
{
	struct timespec ts = { .tv_nsec = POLL_MS * 1000000L };

	nanosleep(&ts, NULL);
}

int fipsd_service_stop(const struct fipsd_service *s, unsigned int timeout_secs)
{
	unsigned int left = (timeout_secs + SPARE_SECS) * (1000 / POLL_MS);
	pid_t pid = fipsd_service_holder(s);

	if (!pid) {
		fprintf(stderr, "fipsd is not running\n");
		return 0;
	}
	if (kill(pid, SIGTERM)) {
		fprintf(stderr, "fipsd: cannot stop process %ld: %s\n", (long)pid, strerror(errno));
		return 1;
	}
	while (fipsd_service_holder(s) == pid) {
		if (!left--) {
			fprintf(stderr, "fipsd: process %ld does not stop\n", (long)pid);
			return 1;
		}
		nap();
	}
	return 0;
}

int fipsd_service_status(const struct fipsd_service *s)
{
	pid_t pid = fipsd_service_holder(s);

	if (!pid) {
		printf("fipsd is not running\n");
		return FIPSD_STATUS_STOPPED;
	}
	printf("fipsd is running (process %ld)\n", (long)pid);
	return FIPSD_STATUS_RUNNING;
}
