// SPDX-License-Identifier: MIT
/*
 * fipsctl doctor: looks at everything a node needs, and says what to do about
 * what is missing. Exit code 1 if something is broken; a warning breaks nothing.
 */
#include <errno.h>
#include <grp.h>
#include <net/if.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "fipsctl.h"
#include "reply.h"

enum verdict {
	FINE,
	WARNING,
	BROKEN,
};

struct doctor {
	const struct fipsctl *ctl;
	json_t *findings;
	json_t *status;
	bool broken;
};

/* One finding; @advice may be NULL. */
__attribute__((format(printf, 5, 6)))
static void found(struct doctor *dr, enum verdict v, const char *what, const char *advice,
		  const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warning", "broken" };
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	dr->broken |= v == BROKEN;
	json_array_append_new(dr->findings, json_pack("{s:s, s:s, s:s, s:s?}", "check", what,
						      "verdict", words[v], "finding", text,
						      "advice", v == FINE ? NULL : advice));
	if (dr->ctl->json)
		return;
	printf("%-8s %-12s %s\n", words[v], what, text);
	if (v != FINE && advice)
		printf("%-8s %-12s -> %s\n", "", "", advice);
}

static void check_daemon(struct doctor *dr)
{
	const char *state;

	dr->status = fipsctl_request(dr->ctl, "show_status", NULL);
	if (!dr->status) {
		found(dr, BROKEN, "daemon",
		      "systemctl start fips; journalctl -u fips tells why it ended",
		      "nobody answers at %s", dr->ctl->socket);
		return;
	}
	state = str(dr->status, "state");
	found(dr, !strcmp(state, "running") ? FINE : WARNING, "daemon",
	      "the log tells what could not be started: journalctl -u fips",
	      "version %s, process %llu, %s", str(dr->status, "version"),
	      (unsigned long long)num(dr->status, "pid"), state);
}

static void check_module(struct doctor *dr)
{
	const json_t *dp = json_object_get(dr->status, "dataplane");
	bool loaded = !access("/sys/module/fips", F_OK);
	bool user = !strcmp(str(dp, "provider"), "user");

	if (loaded)
		found(dr, user ? WARNING : FINE, "module",
		      "node.dataplane: auto, and a restart, would use it",
		      "fips.ko is loaded%s", user ? ", but the daemon moves the packets" : "");
	else
		found(dr, WARNING, "module",
		      "modprobe fips; without it the daemon moves the packets, which is slower",
		      "fips.ko is not loaded");
}

static int interface_mtu(const char *name, bool *up)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), mtu = -1;
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	*up = fd >= 0 && !ioctl(fd, SIOCGIFFLAGS, &ifr) && ifr.ifr_flags & IFF_UP;
	if (fd >= 0 && !ioctl(fd, SIOCGIFMTU, &ifr))
		mtu = ifr.ifr_mtu;
	if (fd >= 0)
		close(fd);
	return mtu;
}

static void check_interface(struct doctor *dr)
{
	const char *name = str(dr->status, "tun_name"), *state = str(dr->status, "tun_state");
	uint64_t path = num(dr->status, "effective_ipv6_mtu");
	bool up;
	int mtu;

	if (!strcmp(state, "disabled")) {
		found(dr, WARNING, "interface", "tun.enabled: true, if programs are to use IPv6",
		      "switched off in the configuration");
		return;
	}
	mtu = interface_mtu(name, &up);
	if (mtu < 0) {
		found(dr, WARNING, "interface",
		      "if the daemon runs in another network namespace, ask from there",
		      "%s (%s) is not here", name, state);
		return;
	}
	found(dr, up ? FINE : BROKEN, "interface", "ip link set fips0 up, and see who took it down",
	      "%s is %s, MTU %d", name, up ? "up" : "down", mtu);
	if (path < 1280)
		found(dr, WARNING, "MTU",
		      "transports.udp.mtu: 1472 on Ethernet lets packets of 1280 bytes through",
		      "the transports carry IPv6 packets of %llu bytes, less than IPv6 asks for",
		      (unsigned long long)path);
	else
		found(dr, FINE, "MTU", NULL, "the transports carry IPv6 packets of %llu bytes",
		      (unsigned long long)path);
}

static void check_transports(struct doctor *dr)
{
	json_t *d = fipsctl_request(dr->ctl, "show_transports", NULL), *t;
	size_t i;

	json_array_foreach(json_object_get(d, "transports"), i, t) {
		const json_t *s = json_object_get(t, "stats");
		bool is_up = !strcmp(str(t, "state"), "up");

		found(dr, is_up ? FINE : BROKEN, "transport",
		      "is the port taken? ss -ulpn; the log has the error",
		      "%s %s is %s", str(t, "type"), str(t, "local_addr"), str(t, "state"));
		if (num(s, "kernel_drops"))
			found(dr, WARNING, "transport",
			      "sysctl net.core.rmem_max=4194304, and transports.udp.recv_buf_size",
			      "%llu packets were dropped at a full socket",
			      (unsigned long long)num(s, "kernel_drops"));
	}
	json_decref(d);
}

static void check_peers(struct doctor *dr)
{
	uint64_t peers = num(dr->status, "peer_count");

	found(dr, peers ? FINE : WARNING, "peers",
	      "add some to fips.yaml and fipsctl reload; fipsctl show routing tells of failed dials",
	      "%llu connected, %llu handshakes in progress", (unsigned long long)peers,
	      (unsigned long long)num(dr->status, "connection_count"));
}

static void check_firewall(struct doctor *dr)
{
	json_t *d = fipsctl_request(dr->ctl, "show_listening_sockets", NULL), *s;
	unsigned int exposed = 0;
	size_t i;

	json_array_foreach(json_object_get(d, "sockets"), i, s)
		exposed += !strcmp(str(s, "filter"), "no_firewall") ||
			   !strcmp(str(s, "filter"), "accept");
	if (json_is_true(json_object_get(d, "firewall_active")))
		found(dr, FINE, "firewall", NULL, "table inet fips is loaded, %u ports are open",
		      exposed);
	else
		found(dr, exposed ? WARNING : FINE, "firewall",
		      "systemctl enable --now fips-firewall; open ports in /etc/fips/fips.d",
		      "none; everybody in the mesh reaches %u listening ports", exposed);
	json_decref(d);
}

static void check_dns(struct doctor *dr)
{
	const struct addrinfo hints = { .ai_family = AF_INET6, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list = NULL;
	char name[96];
	int status;

	snprintf(name, sizeof(name), "%s.fips", str(dr->status, "npub"));
	status = getaddrinfo(name, NULL, &hints, &list);
	if (!status)
		freeaddrinfo(list);
	found(dr, !status ? FINE : WARNING, "names",
	      "dns.enabled: true, and systemctl enable --now fips-dns (the resolver must ask the daemon)",
	      "our npub under .fips %s", status ? gai_strerror(status) : "resolves");
}

static void check_clock(struct doctor *dr)
{
	struct timex tx = { 0 };
	int state = adjtimex(&tx);
	time_t now = time(NULL);

	if (now < 1735689600)	/* 2025 */
		found(dr, BROKEN, "clock", "set it: timedatectl set-ntp true",
		      "it is before 2025: announces of others look as if from the future");
	else
		found(dr, state == TIME_ERROR ? WARNING : FINE, "clock", "timedatectl set-ntp true",
		      state == TIME_ERROR ? "not synchronised" : "synchronised");
}

static void check_key(struct doctor *dr)
{
	static const char path[] = FIPS_SYSCONFDIR "/fips/fips.key";
	struct stat st;

	if (lstat(path, &st)) {
		bool kept = json_is_true(json_object_get(dr->status, "persistent"));

		found(dr, kept ? FINE : WARNING, "identity",
		      "node.identity.persistent: true keeps it over a restart",
		      kept ? "kept, not in %s" : "new at every start, no %s", path);
		return;
	}
	found(dr, st.st_mode & 077 ? BROKEN : FINE, "identity", "chmod 600 /etc/fips/fips.key",
	      "%s has mode %03o", path, st.st_mode & 07777);
}

static void check_group(struct doctor *dr)
{
	struct group *group = getgrnam("fips");

	if (!group)
		found(dr, WARNING, "group", "groupadd --system fips, and restart the daemon",
		      "there is no group fips: only root can use the control socket");
	else
		found(dr, FINE, "group", NULL, "fips (%u) may use the control socket",
		      (unsigned int)group->gr_gid);
}

int fipsctl_doctor(const struct fipsctl *ctl, int argc, char **argv)
{
	struct doctor dr = { .ctl = ctl, .findings = json_array() };

	if (argc)
		return fipsctl_usage("unexpected argument", argv[0]);
	check_daemon(&dr);
	check_group(&dr);
	check_key(&dr);
	check_clock(&dr);
	check_module(&dr);
	if (dr.status) {
		check_interface(&dr);
		check_transports(&dr);
		check_peers(&dr);
		check_dns(&dr);
		check_firewall(&dr);
	}
	if (ctl->json)
		fipsctl_print_json(dr.findings);
	json_decref(dr.findings);
	json_decref(dr.status);
	return dr.broken ? FIPSCTL_FAILED : 0;
}
