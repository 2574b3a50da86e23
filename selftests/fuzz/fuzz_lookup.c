// SPDX-License-Identifier: MIT
/*
 * Any bytes as a LookupRequest and as a LookupResponse, then their
 * coordinates into a small cache that must stay within its bounds.
 */
#include "coordcache.h"
#include "fuzz.h"
#include "lookup_codec.h"

#define CAPACITY	8
#define SHARE		3

static void put(struct fips_coordcache *c, const struct fips_node_addr *addr,
		const struct fips_coords *coords, struct fips_coord_source *source, u64 now)
{
	const struct fips_coord_write w = {
		.addr = addr, .coords = *coords, .source = source, .verified = !source };
	struct fips_coord_info info;
	int err = fips_coordcache_put(c, &w, now);

	FUZZ_CHECK(fips_coordcache_count(c) <= CAPACITY && c->table.count == c->lru.count);
	FUZZ_CHECK(!source || source->list.count <= SHARE);
	FUZZ_CHECK(err == 0 || err == -EINVAL || err == -EEXIST);
	if (err)
		return;
	FUZZ_CHECK(fips_coordcache_peek(c, addr, now, &info));
	FUZZ_CHECK(fips_coords_eq(&info.coords, coords));
}

static void fuzz_request(const u8 *body, size_t len, struct fips_coordcache *c)
{
	struct fips_lookup_request req;
	u8 *buf = malloc(len + 1);
	int n;

	FUZZ_CHECK(buf);
	if (!fips_lookup_request_parse(body, len, &req)) {
		n = fips_lookup_request_build(buf, len + 1, &req);
		FUZZ_CHECK(n > 0 && (size_t)n <= len + 1 && !memcmp(buf + 1, body, (size_t)n - 1));
		FUZZ_CHECK(fips_lookup_request_build(buf, (size_t)n - 1, &req) == -ENOSPC);
		put(c, &req.origin, &req.coords, NULL, 0);
	}
	free(buf);
}

static bool no_verify(void *ctx, const u8 *x, const u8 *digest, const u8 *sig)
{
	(void)ctx;
	(void)x;
	(void)digest;
	return sig[0] == 1;
}

static void fuzz_response(const u8 *body, size_t len, struct fips_coordcache *c)
{
	static const struct fips_pk_ops ops = { .verify = no_verify };
	static const struct fips_pk pk = { &ops, NULL };
	struct fips_lookup_response resp;
	u8 *buf = malloc(len + 1);
	int n;

	FUZZ_CHECK(buf);
	if (!fips_lookup_response_parse(body, len, &resp)) {
		n = fips_lookup_response_build(buf, len + 1, &resp);
		FUZZ_CHECK(n > 0 && (size_t)n <= len + 1 && !memcmp(buf + 1, body, (size_t)n - 1));
		FUZZ_CHECK(fips_lookup_response_build(buf, (size_t)n - 1, &resp) == -ENOSPC);
		if (fips_lookup_verify(&pk, NULL, &resp))
			put(c, &resp.target, &resp.coords, NULL, 0);
	}
	free(buf);
}

/* Small paths, written by two peers, read, swept. */
static void fuzz_cache(const u8 *data, size_t size, struct fips_coordcache *c)
{
	struct fips_coord_source sources[2] = { 0 };
	u64 now = 1;

	for (; size >= 4; data += 4, size -= 4) {
		struct fips_node_addr path[3] = {
			{ { data[1] } }, { { data[2] } }, { { data[3] } } };
		struct fips_coords coords = { path, (u16)(1 + data[0] % 3) }, found;

		now += data[0];
		switch (data[0] >> 4) {
		case 0:
			fips_coordcache_drop_via(c, &path[0]);
			break;
		case 1:
			fips_coordcache_drop_other_roots(c, &path[0]);
			break;
		case 2:
			fips_coordcache_del(c, &path[0]);
			break;
		case 3:
			fips_coordcache_source_fini(&sources[data[1] & 1]);
			break;
		case 4:
		case 5:
			fips_coordcache_get(c, &path[0], now, &found);
			break;
		default:
			put(c, &path[data[0] == 0xff], &coords,
			    data[0] & 8 ? NULL : &sources[data[0] & 1], now);
		}
	}
	fips_coordcache_source_fini(&sources[0]);
	fips_coordcache_source_fini(&sources[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u8 key[FIPS_ADDRTABLE_KEY_LEN];
	struct fips_coordcache c;

	FUZZ_CHECK(!fips_coordcache_init(&c, CAPACITY, SHARE, 1000, key));
	fuzz_request(data, size, &c);
	fuzz_response(data, size, &c);
	fuzz_cache(data, size, &c);
	fips_coordcache_fini(&c);
	return 0;
}
