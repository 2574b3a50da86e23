/* SPDX-License-Identifier: GPL-2.0-only */
/* Lent UDP sockets: what may be lent, the receive hook, and its removal. */
#ifndef _FIPS_UDP_H
#define _FIPS_UDP_H

struct fips_transport;
struct netlink_ext_ack;

int fips_udp_attach(struct fips_transport *transport, struct netlink_ext_ack *extack);
void fips_udp_detach(struct fips_transport *transport);

#endif /* _FIPS_UDP_H */
