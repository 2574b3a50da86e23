// SPDX-License-Identifier: MIT
/* The configuration while the daemon runs. */
#include <errno.h>
#include <stdlib.h>

#include "daemon.h"
#include "reload.h"

/* ---- peers ---- */

static size_t fill_addrs(const struct fips_cfg_peer *peer, struct fips_peer_addr *out)
{
	size_t i;

	for (i = 0; i < peer->addresses.n; i++) {
		const struct fips_cfg_addr *a = fips_cfg_addr(peer, i);

		out[i] = (struct fips_peer_addr){ a->transport, a->addr, a->priority };
	}
	return i;
}

int fipsd_peers_apply(struct fipsd *d, const struct fips_config *cfg)
{
	struct fips_clock now = fipsd_clock();
	struct fips_peer_config *peers;
	struct fips_peer_addr *pa;
	size_t i, n = 0, addrs = 0;
	int ret = -ENOMEM;

	for (i = 0; i < cfg->peers.n; i++)
		addrs += fips_cfg_peer(cfg, i)->addresses.n;
	peers = calloc(cfg->peers.n + 1, sizeof(*peers));
	pa = calloc(addrs + 1, sizeof(*pa));
	for (i = 0, addrs = 0; peers && pa && i < cfg->peers.n; i++) {
		const struct fips_cfg_peer *peer = fips_cfg_peer(cfg, i);

		if (!peer->usable)
			continue;
		peers[n++] = (struct fips_peer_config){
			.id = peer->id,
			.alias = peer->alias,
			.addrs = &pa[addrs],
			.addr_count = peer->addresses.n,
			.policy = peer->connect_policy,
			.auto_reconnect = peer->auto_reconnect,
		};
		addrs += fill_addrs(peer, &pa[addrs]);
	}
	if (peers && pa)
		ret = fips_node_set_peers(d->node, &now, peers, n);
	free(peers);
	free(pa);
	return ret;
}
