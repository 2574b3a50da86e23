/* SPDX-License-Identifier: MIT */
/*
 * Replies of the show_ commands, in the reference's JSON (spec 13 §5).
 */
#ifndef FIPSD_CONTROL_SHOW_H
#define FIPSD_CONTROL_SHOW_H

#include <jansson.h>

#include "node.h"

struct fipsd;

/* Each returns a new object, or NULL without memory. */
json_t *fipsd_show_status(struct fipsd *d);
json_t *fipsd_show_peers(struct fipsd *d);
json_t *fipsd_show_links(struct fipsd *d);
json_t *fipsd_show_sessions(struct fipsd *d);
json_t *fipsd_show_connections(struct fipsd *d);
json_t *fipsd_show_transports(struct fipsd *d);
json_t *fipsd_show_routing(struct fipsd *d);
json_t *fipsd_show_identity_cache(struct fipsd *d);
json_t *fipsd_show_tree(struct fipsd *d);
json_t *fipsd_show_bloom(struct fipsd *d);
json_t *fipsd_show_cache(struct fipsd *d);
json_t *fipsd_show_mmp(struct fipsd *d);
json_t *fipsd_show_acl(struct fipsd *d);
json_t *fipsd_show_dns(struct fipsd *d);
/* Parts of the above that the mesh knows. */
void fipsd_show_routing_mesh(struct fipsd *d, json_t *obj);
void fipsd_show_status_mesh(struct fipsd *d, json_t *obj);
/* Member "mmp" of a peer and of a session, and the family "congestion". */
json_t *fipsd_mmp_peer(const struct fips_mmp_view *v);
json_t *fipsd_mmp_session(const struct fips_mmp_view *v, u16 path_mtu);
json_t *fipsd_congestion(struct fipsd *d);

#endif /* FIPSD_CONTROL_SHOW_H */
