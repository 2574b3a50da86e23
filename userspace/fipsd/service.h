/* SPDX-License-Identifier: MIT */
/*
 * fipsd start|stop|status, for people who type it: pid and lock file, going to
 * the background, waiting until it is true.
 */
#ifndef FIPSD_SERVICE_H
#define FIPSD_SERVICE_H

#include <sys/types.h>

/* Exit codes of "status" as the LSB has them. */
#define FIPSD_STATUS_RUNNING	0
#define FIPSD_STATUS_STOPPED	3

/**
 * struct fipsd_service - one daemon's files; they stand beside its control socket
 * @pid_path: locked while the daemon runs, holds its pid
 * @log_path: standard error of a background daemon
 * @lock_fd: or -1
 * @ready_fd: pipe to the parent that waits, or -1
 */
struct fipsd_service {
	char pid_path[128];
	char log_path[128];
	int lock_fd;
	int ready_fd;
};

void fipsd_service_init(struct fipsd_service *s, const char *control_path);

/* Lock and write the pid file. 0, -EBUSY (another daemon runs) or a negative errno. */
int fipsd_service_lock(struct fipsd_service *s);
void fipsd_service_unlock(struct fipsd_service *s);

/* Pid of the daemon that holds the lock, or 0. */
pid_t fipsd_service_holder(const struct fipsd_service *s);

/**
 * fipsd_service_background() - fork; the child goes on as the daemon
 * @s: service
 *
 * Return: in the child -1; in the parent the exit code, once the child said
 * that it is ready (fipsd_service_ready()) or died.
 */
int fipsd_service_background(struct fipsd_service *s);

/* Child: tell the parent, let go of the terminal. */
void fipsd_service_ready(struct fipsd_service *s, int code);

/* SIGTERM, and wait until the lock is free. Exit code. */
int fipsd_service_stop(const struct fipsd_service *s, unsigned int timeout_secs);
int fipsd_service_status(const struct fipsd_service *s);

#endif /* FIPSD_SERVICE_H */
