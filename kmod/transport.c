// SPDX-License-Identifier: GPL-2.0-only
/*
 * Transports: lent sockets and the links that travel on them. Made and
 * unmade under fips_device.lock. The file is held, not just the socket, so
 * that traffic survives the daemon; owner.c sees that it is let go.
 */

#include <linux/file.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <net/sock.h>

#include "device.h"
#include "link.h"
#include "transport.h"
#include "udp.h"

/**
 * fips_transport_find() - transport by id
 * @fips: device
 * @id: the owner's number
 *
 * Return: transport or NULL.
 */
struct fips_transport *fips_transport_find(struct fips_device *fips, u32 id)
{
	struct fips_transport *transport;

	lockdep_assert_held(&fips->lock);

	list_for_each_entry(transport, &fips->transports, list) {
		if (transport->id == id)
			return transport;
	}
	return NULL;
}

static void fips_transport_free(struct fips_transport *transport)
{
	if (transport->file)
		fput(transport->file);
	kfree(transport->owner_data);
	kfree(transport);
}

/**
 * fips_transport_new_udp() - take a UDP socket from the calling process
 * @fips: device
 * @id: the owner's number, not in use
 * @fd: descriptor in the caller's table
 * @mtu: largest link frame
 * @extack: for refusals
 *
 * Return: transport, published and attached, or an error pointer.
 */
struct fips_transport *fips_transport_new_udp(struct fips_device *fips, u32 id, int fd, u16 mtu,
					      struct netlink_ext_ack *extack)
{
	struct fips_transport *transport;
	struct socket *sock;
	int err;

	lockdep_assert_held(&fips->lock);

	if (fips->n_transports >= FIPS_TRANSPORTS_MAX) {
		NL_SET_ERR_MSG(extack, "device has too many transports for another id");
		return ERR_PTR(-ENOSPC);
	}
	transport = kzalloc(sizeof(*transport), GFP_KERNEL_ACCOUNT);
	if (!transport)
		return ERR_PTR(-ENOMEM);
	transport->fips = fips;
	transport->id = id;
	transport->type = FIPS_TRANSPORT_TYPE_UDP;
	transport->mtu = mtu;

	transport->file = fget(fd);
	if (!transport->file) {
		NL_SET_ERR_MSG(extack, "fd is no open descriptor of the calling process");
		err = -EBADF;
		goto err_free;
	}
	sock = sock_from_file(transport->file);
	if (!sock || !sock->sk) {
		NL_SET_ERR_MSG(extack, "fd is no socket");
		err = -ENOTSOCK;
		goto err_free;
	}
	transport->sk = sock->sk;
	err = fips_udp_attach(transport, extack);
	if (err)
		goto err_free;

	list_add_tail(&transport->list, &fips->transports);
	fips->n_transports++;
	return transport;

err_free:
	fips_transport_free(transport);
	return ERR_PTR(err);
}

/* Frames stop coming in; links still stand on it. */
static void fips_transport_detach(struct fips_transport *transport)
{
	WRITE_ONCE(transport->dead, true);
	fips_udp_detach(transport);
}

/**
 * fips_transport_del() - give a transport back, its links go with it
 * @fips: device
 * @transport: transport, freed
 *
 * Two grace periods: after the first no receiver can move a link here, after
 * the second no sender uses an endpoint that points here.
 */
void fips_transport_del(struct fips_device *fips, struct fips_transport *transport)
{
	lockdep_assert_held(&fips->lock);
	might_sleep();

	list_del(&transport->list);
	fips->n_transports--;
	fips_transport_detach(transport);
	synchronize_net();
	fips_link_del_transport(fips, transport);
	synchronize_net();
	fips_transport_free(transport);
}

/**
 * fips_transport_del_all() - give all transports back
 * @fips: device; its links are gone already
 */
void fips_transport_del_all(struct fips_device *fips)
{
	struct fips_transport *transport, *tmp;

	lockdep_assert_held(&fips->lock);
	might_sleep();

	if (list_empty(&fips->transports))
		return;
	list_for_each_entry(transport, &fips->transports, list)
		fips_transport_detach(transport);
	synchronize_net();
	list_for_each_entry_safe(transport, tmp, &fips->transports, list) {
		list_del(&transport->list);
		fips_transport_free(transport);
	}
	fips->n_transports = 0;
}
