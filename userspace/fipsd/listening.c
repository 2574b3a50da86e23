// SPDX-License-Identifier: MIT
/* Listening sockets from /proc: IPv6 ones bound to everything or to our address. */
#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control_json.h"
#include "listening.h"

#define TCP_LISTEN	0x0a
#define SOCKETS_MAX	512

struct sock {
	bool udp;
	u8 addr[FIPS_IPV6_LEN];
	unsigned int port;
	unsigned long inode;
	long pid;		/* 0: not found */
	char process[32];
};

struct found {
	struct sock v[SOCKETS_MAX];
	size_t n;
};

/* 32 digits, four words of the machine's order. */
static bool parse_addr(const char *hex, u8 *addr)
{
	u32 word;
	int i;

	for (i = 0; i < 4; i++) {
		if (sscanf(hex + 8 * i, "%8x", &word) != 1)
			return false;
		memcpy(addr + 4 * i, &word, 4);
	}
	return true;
}

static void parse_line(struct found *f, const char *line, bool udp, const u8 *ipv6)
{
	static const u8 any[FIPS_IPV6_LEN];
	char local[40], remote[40];
	unsigned int lport, rport, state;
	struct sock s = { .udp = udp };

	if (sscanf(line, " %*u: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*s %*s %*s %*u %*u %lu", local,
		   &lport, remote, &rport, &state, &s.inode) != 6)
		return;
	if (strlen(local) != 32 || !parse_addr(local, s.addr) || f->n == SOCKETS_MAX)
		return;
	if (udp ? rport : state != TCP_LISTEN)
		return;
	if (memcmp(s.addr, any, sizeof(any)) && memcmp(s.addr, ipv6, sizeof(any)))
		return;
	s.port = lport;
	f->v[f->n++] = s;
}

static void read_table(struct found *f, const char *path, bool udp, const u8 *ipv6)
{
	FILE *in = fopen(path, "re");
	char line[512];

	while (in && fgets(line, sizeof(line), in))
		parse_line(f, line, udp, ipv6);
	if (in)
		fclose(in);
}

/* ---- whose they are ---- */

static void read_comm(long pid, char *buf, size_t size)
{
	char path[64];
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%ld/comm", pid);
	in = fopen(path, "re");
	if (!in || !fgets(buf, (int)size, in))
		buf[0] = '\0';
	if (in)
		fclose(in);
	buf[strcspn(buf, "\n")] = '\0';
}

static void owner(struct found *f, long pid, unsigned long inode)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->v[i].inode == inode && !f->v[i].pid) {
			f->v[i].pid = pid;
			read_comm(pid, f->v[i].process, sizeof(f->v[i].process));
		}
}

static void search_process(struct found *f, long pid)
{
	char path[64], link[64];
	struct dirent *e;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", pid);
	dir = opendir(path);
	while (dir && (e = readdir(dir))) {
		n = readlinkat(dirfd(dir), e->d_name, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = '\0';
		if (!strncmp(link, "socket:[", 8))
			owner(f, pid, strtoul(link + 8, NULL, 10));
	}
	if (dir)
		closedir(dir);
}

static void find_owners(struct found *f)
{
	DIR *dir = f->n ? opendir("/proc") : NULL;
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] > '0' && e->d_name[0] <= '9')
			search_process(f, strtol(e->d_name, NULL, 10));
	if (dir)
		closedir(dir);
}

/* ---- all of it ---- */

static json_t *nft_ruleset(void)
{
	FILE *in = popen("PATH=/usr/sbin:/sbin:$PATH nft -j list table inet fips 2>/dev/null",
			 "re");
	json_t *rules = in ? json_loadf(in, 0, NULL) : NULL;
	int status = in ? pclose(in) : -1;

	if (!status)
		return rules;
	json_decref(rules);
	return NULL;
}

static int sock_cmp(const void *a, const void *b)
{
	const struct sock *x = a, *y = b;

	if (x->udp != y->udp)
		return x->udp ? 1 : -1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static json_t *sock_json(const struct sock *s, const json_t *rules)
{
	static const u8 any[FIPS_IPV6_LEN];
	const char *proto = s->udp ? "udp" : "tcp";
	char text[INET6_ADDRSTRLEN];
	json_t *obj = json_object();

	put_str(obj, "proto", proto);
	put_str(obj, "local_addr", inet_ntop(AF_INET6, s->addr, text, sizeof(text)));
	put_int(obj, "port", s->port);
	put(obj, "pid", s->pid ? json_integer(s->pid) : json_null());
	put(obj, "process", s->pid ? json_string(s->process) : json_null());
	put_str(obj, "filter", fips_firewall_verdict(rules, proto, s->port));
	put_bool(obj, "wildcard_bind", !memcmp(s->addr, any, sizeof(any)));
	return obj;
}

json_t *fips_listening(const u8 *ipv6)
{
	struct found *f = calloc(1, sizeof(*f));
	json_t *obj = json_object(), *array = json_array(), *rules;
	size_t i;

	if (!f)
		return obj;
	read_table(f, "/proc/self/net/tcp6", false, ipv6);
	read_table(f, "/proc/self/net/udp6", true, ipv6);
	find_owners(f);
	qsort(f->v, f->n, sizeof(f->v[0]), sock_cmp);
	rules = nft_ruleset();
	for (i = 0; i < f->n; i++)
		json_array_append_new(array, sock_json(&f->v[i], rules));
	put_bool(obj, "firewall_active", rules);
	put(obj, "sockets", array);
	json_decref(rules);
	free(f);
	return obj;
}
