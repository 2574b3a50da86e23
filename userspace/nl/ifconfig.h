/* SPDX-License-Identifier: MIT */
/*
 * Addresses, routes and the routing rule of a fips device (spec 09 §4), for
 * both data planes. Acts in the caller's network namespace.
 */
#ifndef FIPS_IFCONFIG_H
#define FIPS_IFCONFIG_H

#include <fips/types.h>

/* Whether IPv6 is switched off (net.ipv6.conf.all.disable_ipv6). */
bool fips_ifconfig_ipv6_disabled(void);

/**
 * fips_ifconfig_delete() - remove an interface left over from before
 * @name: its name
 * @kind: only of this kind ("tun", "fips"); another one of that name is left alone
 * @why: gets a sentence on failure
 * @why_len: its size
 *
 * Return: 0, also if there is none; -EEXIST if the name belongs to something else.
 */
int fips_ifconfig_delete(const char *name, const char *kind, char *why, size_t why_len);

/**
 * fips_ifconfig_up() - address/128, MTU, up, route fd00::/8, rule 5265
 * @name: interface
 * @ipv6: own FIPS address
 * @mtu: its MTU
 * @ruled: set when the rule was added by this call (it was not there before)
 * @why: gets a sentence on failure
 * @why_len: its size
 *
 * The rule keeps fd00::/8 in the main table when other software has rules of its
 * own; a failure there is not fatal. Return: 0 or a negative errno.
 */
int fips_ifconfig_up(const char *name, const u8 *ipv6, u16 mtu, bool *ruled, char *why,
		     size_t why_len);

/* Change the MTU alone. 0 or a negative errno. */
int fips_ifconfig_mtu(const char *name, u16 mtu);

/* Remove the rule; the rest goes with the interface. */
void fips_ifconfig_down(void);

#endif /* FIPS_IFCONFIG_H */
