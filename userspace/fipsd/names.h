/* SPDX-License-Identifier: MIT */
/*
 * Names of nodes and what hangs on them: hosts file, `.fips` responder, access
 * lists. They are looked at once a tick, and reloaded when a file has changed.
 */
#ifndef FIPSD_NAMES_H
#define FIPSD_NAMES_H

#include <stdbool.h>

#include "acl_file.h"
#include "config.h"
#include "dns.h"

struct fipsd;
struct fipsd_names;

/* Aliases and hosts file; before there is a node. -ENOMEM. */
int fipsd_names_init(struct fipsd *d);

/* Access lists and responder; the node and its transports are there, peers not yet. -ENOMEM. */
int fipsd_names_start(struct fipsd *d);

/* The responder should be there and isn't. */
bool fipsd_names_failed(const struct fipsd *d);

/* Memory goes as the loop runs on. */
void fipsd_names_stop(struct fipsd *d);

/* Read the hosts file again if it changed; looks at most once a tick. */
void fipsd_hosts_refresh(struct fipsd *d);

/* For a reload of the configuration: always read. 0 or a negative errno (logged). */
int fipsd_hosts_reload(struct fipsd *d);
int fipsd_acl_reload(struct fipsd *d);

/* Listen anew if the section `dns` is not as in @old any more. 0 or -EADDRNOTAVAIL. */
int fipsd_dns_reload(struct fipsd *d, const struct fips_config *old);

/* For the control socket; valid until the next reload. NULL: there is none. */
const struct fipsd_acl *fipsd_names_acl(const struct fipsd *d);
const struct fipsd_dns *fipsd_names_dns(const struct fipsd *d);

#endif /* FIPSD_NAMES_H */
