// SPDX-License-Identifier: MIT
/*
 * show_listening_sockets: walking /proc and asking nft takes long, so it is done
 * on a thread of the loop's pool. Only the very first question waits; later ones
 * get what is there, and have it renewed when it is old.
 */
#include <stdlib.h>

#include "control_json.h"
#include "control_show.h"
#include "daemon.h"
#include "listening.h"

#define FRESH_MS	2000

struct work {
	uv_work_t req;
	struct fipsd *d;
	u8 ipv6[FIPS_IPV6_LEN];
	json_t *result;
};

static void on_work(uv_work_t *req)
{
	struct work *w = req->data;

	w->result = fips_listening(w->ipv6);
}

static void on_done(uv_work_t *req, int status)
{
	struct work *w = req->data;
	struct fipsd *d = w->d;

	d->listening_busy = false;
	if (!status && w->result) {
		json_decref(d->listening);
		d->listening = w->result;
		d->listening_at = fipsd_clock().mono_ms;
	}
	free(w);
}

static void renew(struct fipsd *d)
{
	struct work *w = d->listening_busy ? NULL : calloc(1, sizeof(*w));

	if (!w)
		return;
	w->d = d;
	w->req.data = w;
	memcpy(w->ipv6, d->keypair.id.ipv6, sizeof(w->ipv6));
	d->listening_busy = !uv_queue_work(&d->loop, &w->req, on_work, on_done);
	if (!d->listening_busy)
		free(w);
}

json_t *fipsd_show_listening(struct fipsd *d)
{
	char text[FIPS_IPV6_TEXT_SIZE];
	json_t *obj;

	if (!d->listening) {
		d->listening = fips_listening(d->keypair.id.ipv6);
		d->listening_at = fipsd_clock().mono_ms;
	} else if (fipsd_clock().mono_ms - d->listening_at > FRESH_MS) {
		renew(d);
	}
	obj = json_copy(d->listening);
	fips_ipv6_format(d->keypair.id.ipv6, text);
	put_str(obj, "fips0_addr", text);
	return obj;
}
