// SPDX-License-Identifier: MIT
/*
 * firstping SECONDS GAP-MS ADDRESS... - ping each IPv6 address until it answers
 *
 * Prints "ADDRESS TIME" for each, TIME being Unix seconds with microseconds of
 * the first answer. Started before the network is there, it just goes on
 * trying. One process for all destinations: a ping(8) for each pair of a mesh
 * would cost more than the mesh. Exit status 0 if all have answered in time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TARGETS_MAX	64

struct target {
	const char *name;
	struct sockaddr_in6 to;
	bool answered;
};

static struct target targets[TARGETS_MAX];
static int count;

static long long now_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

static int open_socket(void)
{
	struct icmp6_filter filter;
	int fd = socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);

	if (fd < 0)
		return -1;
	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
	if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)))
		return -1;
	return fd;
}

/* Errors are no matter: there may be no route, or an ICMPv6 error came back. */
static void send_all(int fd, uint16_t id)
{
	struct icmp6_hdr echo = { .icmp6_type = ICMP6_ECHO_REQUEST };
	int i;

	echo.icmp6_id = id;
	for (i = 0; i < count; i++) {
		echo.icmp6_seq = htons((uint16_t)i);
		if (!targets[i].answered)
			sendto(fd, &echo, sizeof(echo), 0, (struct sockaddr *)&targets[i].to,
			       sizeof(targets[i].to));
	}
}

/* One answer. Return: how many targets answered with it for the first time. */
static int receive(int fd, uint16_t id)
{
	struct icmp6_hdr echo;
	struct target *t;
	long long at;

	if (recv(fd, &echo, sizeof(echo), MSG_DONTWAIT) < (ssize_t)sizeof(echo))
		return 0;
	if (echo.icmp6_id != id || ntohs(echo.icmp6_seq) >= count)
		return 0;
	t = &targets[ntohs(echo.icmp6_seq)];
	if (t->answered)
		return 0;
	t->answered = true;
	at = now_us(CLOCK_REALTIME);
	printf("%s %lld.%06lld\n", t->name, at / 1000000, at % 1000000);
	return 1;
}

static int ping_all(int fd, long long us, long long gap)
{
	long long end = now_us(CLOCK_MONOTONIC) + us, next = 0, now;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint16_t id = (uint16_t)getpid();
	int left = count;

	while (left) {
		now = now_us(CLOCK_MONOTONIC);
		if (now >= end)
			return 1;
		if (now >= next) {
			send_all(fd, id);
			next = now + gap;
		}
		if (poll(&p, 1, (int)((next - now) / 1000) + 1) > 0)
			left -= receive(fd, id);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int fd, i;

	if (argc < 4 || argc - 3 > TARGETS_MAX) {
		fprintf(stderr, "usage: firstping SECONDS GAP-MS ADDRESS...\n");
		return 2;
	}
	for (i = 3; i < argc; i++) {
		targets[count].name = argv[i];
		targets[count].to.sin6_family = AF_INET6;
		if (inet_pton(AF_INET6, argv[i], &targets[count].to.sin6_addr) != 1) {
			fprintf(stderr, "firstping: %s is no IPv6 address\n", argv[i]);
			return 2;
		}
		count++;
	}
	fd = open_socket();
	if (fd < 0) {
		fprintf(stderr, "firstping: %s\n", strerror(errno));
		return 2;
	}
	return ping_all(fd, atoll(argv[1]) * 1000000, atoll(argv[2]) * 1000);
}
