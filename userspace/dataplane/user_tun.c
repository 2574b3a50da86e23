// SPDX-License-Identifier: MIT
/*
 * The TUN device, with virtio-net headers: the stack hands over up to 64 KiB at
 * a time and leaves segmenting and checksums to us, and takes super-packets
 * back. UDP segmentation is asked for where the kernel knows it (6.2).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "ifconfig.h"
#include "node.h"
#include "user.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4		0x20
#define TUN_F_USO6		0x40
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4	5
#endif

static int fips_tun_attach(struct fips_user *u, char *why, size_t why_len)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };
	int fd, err, one = 1, size = sizeof(struct virtio_net_hdr);

	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		snprintf(why, why_len, "/dev/net/tun can't be opened: %s", strerror(-err));
		return err;
	}
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", u->name);
	if (ioctl(fd, TUNSETIFF, &ifr)) {
		err = -errno;
		snprintf(why, why_len, "interface %s can't be made: %s%s", u->name, strerror(-err),
			 err == -EPERM ? " (CAP_NET_ADMIN is needed)" : "");
		close(fd);
		return err;
	}
	/* The header is little-endian for us, whatever the machine. */
	if (ioctl(fd, TUNSETVNETLE, &one) || ioctl(fd, TUNSETVNETHDRSZ, &size)) {
		err = -errno;
		snprintf(why, why_len, "interface %s takes no virtio-net header: %s", u->name,
			 strerror(-err));
		close(fd);
		return err;
	}
	return fd;
}

/* As much as this kernel can; whether UDP super-packets are part of it. */
static bool fips_tun_offload(int fd)
{
	unsigned int base = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

	if (!ioctl(fd, TUNSETOFFLOAD, base | TUN_F_USO4 | TUN_F_USO6))
		return true;
	if (ioctl(fd, TUNSETOFFLOAD, base))
		ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM);
	return false;
}

int fips_tun_open(struct fips_user *u, char *why, size_t why_len)
{
	int fd, err;

	if (fips_ifconfig_ipv6_disabled()) {
		snprintf(why, why_len, "IPv6 is switched off (net.ipv6.conf.all.disable_ipv6)");
		return -EAFNOSUPPORT;
	}
	err = fips_ifconfig_delete(u->name, "tun", why, why_len);
	if (err)
		return err;
	fd = fips_tun_attach(u, why, why_len);
	if (fd < 0)
		return fd;
	u->rx.merge->udp = fips_tun_offload(fd);
	err = fips_ifconfig_up(u->name, u->cfg.ipv6, u->cfg.mtu, &u->ruled, why, why_len);
	if (err) {
		close(fd);
		return err;
	}
	u->tun = fd;
	return 0;
}

void fips_tun_close(struct fips_user *u)
{
	if (u->tun < 0)
		return;
	/* The device, its address and its routes go with the descriptor. */
	close(u->tun);
	u->tun = -1;
	if (u->ruled)
		fips_ifconfig_down();
}

static int fips_tun_gso(const struct virtio_net_hdr *h, struct fips_gso *gso)
{
	*gso = (struct fips_gso){ .type = FIPS_GSO_NONE };
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		gso->csum = true;
		gso->csum_start = le16toh(h->csum_start);
		gso->csum_offset = le16toh(h->csum_offset);
	}
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return 0;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		gso->type = FIPS_GSO_TCP;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		gso->type = FIPS_GSO_UDP;
		break;
	default:
		return -EPROTONOSUPPORT;
	}
	gso->size = le16toh(h->gso_size);
	return gso->csum ? 0 : -EPROTO;
}

ssize_t fips_tun_read(struct fips_user *u, u8 *buf, struct fips_gso *gso)
{
	struct virtio_net_hdr h;
	ssize_t n = read(u->tun, buf + FIPS_TUN_HEADROOM - sizeof(h), FIPS_TUN_BUF - sizeof(h));

	if (n < 0)
		return -errno;
	memcpy(&h, buf + FIPS_TUN_HEADROOM - sizeof(h), sizeof(h));
	if ((size_t)n <= sizeof(h) || fips_tun_gso(&h, gso)) {
		fips_core_drop(u->core, FIPS_DROP_REASON_TX_NOT_IPV6, 1);
		return 0;
	}
	return n - (ssize_t)sizeof(h);
}

void fips_tun_write(struct fips_user *u, struct iovec *iov, int n, const struct fips_gso *gso,
		    bool verified)
{
	struct virtio_net_hdr h = { .gso_type = VIRTIO_NET_HDR_GSO_NONE };

	if (gso->csum) {
		h.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.csum_start = htole16(gso->csum_start);
		h.csum_offset = htole16(gso->csum_offset);
	} else if (verified) {
		h.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	}
	if (gso->type != FIPS_GSO_NONE) {
		h.gso_type = gso->type == FIPS_GSO_TCP ? VIRTIO_NET_HDR_GSO_TCPV6 :
							 VIRTIO_NET_HDR_GSO_UDP_L4;
		h.gso_size = htole16(gso->size);
		h.hdr_len = htole16((u16)(iov[1].iov_len - gso->size));
	}
	iov[0] = (struct iovec){ &h, sizeof(h) };
	if (u->tun < 0 || writev(u->tun, iov, n) < 0)
		fips_core_drop(u->core, FIPS_DROP_REASON_NO_TUNNEL, 1);
}

void fips_tun_write_one(struct fips_user *u, u8 *ip6, size_t len)
{
	static const struct fips_gso none;
	struct iovec iov[2] = { { 0 }, { ip6, len } };

	fips_tun_write(u, iov, 2, &none, false);
}
