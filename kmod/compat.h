/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The module is written for the newest kernel; what older ones (6.1 on) lack
 * or name differently is filled in here and nowhere else.
 */
#ifndef _FIPS_COMPAT_H
#define _FIPS_COMPAT_H

#include <crypto/chacha.h>
#include <linux/netdevice.h>
#include <linux/version.h>
#include <net/genetlink.h>
#include <net/inet_sock.h>
#include <net/rtnetlink.h>
#include <net/udp.h>
#include <net/udp_tunnel.h>

#define FIPS_KERNEL_BEFORE(major, minor) (KERNEL_VERSION(major, minor, 0) > LINUX_VERSION_CODE)

/* 6.4: GSO has a header of its own */
#if !FIPS_KERNEL_BEFORE(6, 4)
#include <net/gso.h>
#endif

/* 6.3 */
#ifndef NLA_POLICY_MAX_LEN
#define NLA_POLICY_MAX_LEN(_len)	NLA_POLICY_MAX(NLA_BINARY, _len)
#endif

/* 6.7: ranges of policies are const */
#if FIPS_KERNEL_BEFORE(6, 7)
#undef NLA_POLICY_FULL_RANGE
#define NLA_POLICY_FULL_RANGE(tp, _range) {			\
	.type = NLA_ENSURE_UINT_OR_BINARY_TYPE(tp),		\
	.validation_type = NLA_VALIDATE_RANGE_PTR,		\
	.range = (struct netlink_range_validation *)(_range),	\
}
#endif

/* 6.2: hooks of a family see split ops */
#if FIPS_KERNEL_BEFORE(6, 2)
#define fips_compat_genl_ops	genl_ops
#else
#define fips_compat_genl_ops	genl_split_ops
#endif

/* 6.7: comparison in constant time has a header of its own */
#if FIPS_KERNEL_BEFORE(6, 7)
#include <crypto/algapi.h>
#else
#include <crypto/utils.h>
#endif

/**
 * fips_compat_chacha20() - XOR with the key stream of a counter
 * @dst: output
 * @src: input, may be @dst
 * @len: bytes
 * @key: %CHACHA_KEY_SIZE bytes
 * @ctr: nonce, behind four zero bytes
 * @block: number of the first block
 *
 * 6.16: the state is a struct
 */
static inline void fips_compat_chacha20(u8 *dst, const u8 *src, unsigned int len, const u8 *key,
					u64 ctr, u32 block)
{
#if FIPS_KERNEL_BEFORE(6, 16)
	u32 state[CHACHA_STATE_WORDS];
#else
	struct chacha_state state[1];
#endif
	u32 words[CHACHA_KEY_SIZE / sizeof(u32)];
	__le32 iv[4] = { cpu_to_le32(block), 0, cpu_to_le32((u32)ctr), cpu_to_le32(ctr >> 32) };

	memcpy(words, key, CHACHA_KEY_SIZE);
	le32_to_cpu_array(words, ARRAY_SIZE(words));
	chacha_init(state, words, (const u8 *)iv);
	chacha20_crypt(state, dst, src, len);
	memzero_explicit(words, sizeof(words));
	memzero_explicit(state, sizeof(state));
}

/* 6.6: dumps have a genl_info */
static inline struct nlattr **fips_compat_dump_attrs(struct netlink_callback *cb)
{
#if FIPS_KERNEL_BEFORE(6, 6)
	return genl_dumpit_info(cb)->attrs;
#else
	return genl_info_dump(cb)->attrs;
#endif
}

/* 6.6: flags of inet sockets are bits of one word */
static inline bool fips_compat_mc_loop(struct sock *sk, int set)
{
#if FIPS_KERNEL_BEFORE(6, 6)
	bool old = inet_sk(sk)->mc_loop;

	if (set >= 0)
		inet_sk(sk)->mc_loop = set;
#else
	bool old = inet_test_bit(MC_LOOP, sk);

	if (set >= 0)
		inet_assign_bit(MC_LOOP, sk, set);
#endif
	return old;
}

/* 6.12: lockless transmission is a member, no feature bit */
static inline void fips_compat_set_lltx(struct net_device *dev)
{
#if FIPS_KERNEL_BEFORE(6, 12)
	dev->features |= NETIF_F_LLTX;
#else
	dev->lltx = true;
#endif
}

/* 6.15: parameters of newlink come in a struct. All name @dev and @extack. */
#if FIPS_KERNEL_BEFORE(6, 15)
#define FIPS_COMPAT_NEWLINK_ARGS						\
	struct net *src_net, struct net_device *dev, struct nlattr *tb[],	\
	struct nlattr *data[], struct netlink_ext_ack *extack
#else
#define FIPS_COMPAT_NEWLINK_ARGS						\
	struct net_device *dev, struct rtnl_newlink_params *params,		\
	struct netlink_ext_ack *extack
#endif

/* 6.17: the sock itself instead of its socket */
static inline void fips_compat_setup_udp_tunnel(struct sock *sk, struct udp_tunnel_sock_cfg *cfg)
{
#if FIPS_KERNEL_BEFORE(6, 17)
	setup_udp_tunnel_sock(sock_net(sk), sk->sk_socket, cfg);
#else
	setup_udp_tunnel_sock(sock_net(sk), sk, cfg);
#endif
}

#endif /* _FIPS_COMPAT_H */
