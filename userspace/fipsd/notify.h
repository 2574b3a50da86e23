/* SPDX-License-Identifier: MIT */
/*
 * The sd_notify(3) protocol: a datagram to the socket that NOTIFY_SOCKET names.
 */
#ifndef FIPSD_NOTIFY_H
#define FIPSD_NOTIFY_H

/**
 * fipsd_notify() - tell the service manager
 * @state: "READY=1", "STOPPING=1", "STATUS=…"
 *
 * Return: 0, also when nobody asked to be told, or a negative errno.
 */
int fipsd_notify(const char *state);

#endif /* FIPSD_NOTIFY_H */
