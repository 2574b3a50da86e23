/* SPDX-License-Identifier: MIT */
/*
 * Who listens where the mesh can reach it, and what the firewall says to that
 * (spec 13 §5.15, 16 §2). Nothing of the daemon is touched: any thread may call.
 */
#ifndef FIPSD_LISTENING_H
#define FIPSD_LISTENING_H

#include <jansson.h>
#include <stdbool.h>

#include "../libfips/identity.h"

/**
 * fips_listening() - collect
 * @ipv6: our address; sockets bound to it or to :: are listed
 *
 * Return: new object with "firewall_active" and "sockets", or NULL without memory.
 */
json_t *fips_listening(const u8 *ipv6);

/**
 * fips_firewall_verdict() - what chain `inbound` does to a new packet
 * @ruleset: what `nft -j list table inet fips` prints, or NULL
 * @proto: "tcp" or "udp"
 * @port: destination
 *
 * Return: "accept", "drop", "unknown" or "no_firewall".
 */
const char *fips_firewall_verdict(const json_t *ruleset, const char *proto, unsigned int port);

#endif /* FIPSD_LISTENING_H */
