// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lent UDP sockets. The daemon's socket gets fips_udp_rcv() as its receive
 * hook: established frames go to us, everything else stays with the daemon.
 * The hook finds the transport by sk_user_data, under RCU.
 */

#include <linux/net.h>
#include <linux/udp.h>
#include <net/sock.h>

#include "compat.h"
#include "packet.h"
#include "transport.h"
#include "udp.h"

/* Any value but 0 makes the stack call encap_rcv; no UDP_ENCAP_* of the uAPI fits. */
#define FIPS_UDP_ENCAP	1

static int fips_udp_check(struct sock *sk, struct netlink_ext_ack *extack)
{
	if (sk->sk_user_data || udp_sk(sk)->encap_type) {
		NL_SET_ERR_MSG(extack, "socket of fd is in use by a tunnel already");
		return -EBUSY;
	}
	if (!inet_sk(sk)->inet_num) {
		NL_SET_ERR_MSG(extack, "socket of fd is not bound to a port");
		return -ENOTCONN;
	}
	if (sk->sk_state == TCP_ESTABLISHED) {
		NL_SET_ERR_MSG(extack, "socket of fd is connected to a peer");
		return -EISCONN;
	}
	return 0;
}

/**
 * fips_udp_attach() - hook into a lent socket
 * @transport: holds the socket's file
 * @extack: for refusals
 *
 * Return: 0, or -EPROTONOSUPPORT, -EBUSY, -ENOTCONN, -EISCONN.
 */
int fips_udp_attach(struct fips_transport *transport, struct netlink_ext_ack *extack)
{
	struct udp_tunnel_sock_cfg cfg = {
		.sk_user_data = transport,
		.encap_type = FIPS_UDP_ENCAP,
		.encap_rcv = fips_udp_rcv,
	};
	struct sock *sk = transport->sk;
	bool mc_loop;
	int err;

	might_sleep();

	if ((sk->sk_family != AF_INET && sk->sk_family != AF_INET6) ||
	    sk->sk_type != SOCK_DGRAM || sk->sk_protocol != IPPROTO_UDP) {
		NL_SET_ERR_MSG(extack, "fd is no UDP socket");
		return -EPROTONOSUPPORT;
	}
	lock_sock(sk);
	err = fips_udp_check(sk, extack);
	if (!err) {
		/* Multicast loopback stays what the daemon made it. */
		mc_loop = fips_compat_mc_loop(sk, -1);
		fips_compat_setup_udp_tunnel(sk, &cfg);
		fips_compat_mc_loop(sk, mc_loop);
	}
	release_sock(sk);
	return err;
}

/**
 * fips_udp_detach() - take the hook out
 * @transport: attached
 *
 * The hook may still run on other CPUs until a grace period is over.
 */
void fips_udp_detach(struct fips_transport *transport)
{
	struct sock *sk = transport->sk;

	might_sleep();

	lock_sock(sk);
	WRITE_ONCE(udp_sk(sk)->encap_type, 0);
	WRITE_ONCE(udp_sk(sk)->encap_rcv, NULL);
	rcu_assign_sk_user_data(sk, NULL);
	inet_dec_convert_csum(sk);
	release_sock(sk);
}
