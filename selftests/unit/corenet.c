// SPDX-License-Identifier: MIT
#include "corenet.h"

static void list_add(struct cn_list *l, struct cn_item *it)
{
	it->next = NULL;
	*l->tail = it;
	l->tail = &it->next;
	l->n++;
}

static void list_init(struct cn_list *l)
{
	l->head = NULL;
	l->tail = &l->head;
	l->n = 0;
}

static struct cn_item *item_new(const void *data, size_t len)
{
	struct cn_item *it = calloc(1, sizeof(*it) + len);

	assert_non_null(it);
	it->len = len;
	if (len && data)
		memcpy(it->data, data, len);
	return it;
}

struct cn_item *cn_pop(struct cn_list *l)
{
	struct cn_item *it = l->head;

	if (!it)
		return NULL;
	l->head = it->next;
	if (!l->head)
		l->tail = &l->head;
	l->n--;
	return it;
}

void cn_clear(struct cn_list *l)
{
	struct cn_item *it;

	while ((it = cn_pop(l)))
		free(it);
}

static u8 *out_room(void *ctx, const struct fips_endpoint *to, size_t len)
{
	struct cn_node *n = ctx;

	(void)to;
	assert_null(n->room);
	if (n->no_room)
		return NULL;
	n->room = item_new(NULL, len);
	return n->room->data;
}

static void out_frame(void *ctx, const struct fips_endpoint *to, u8 *frame, size_t len)
{
	struct cn_node *n = ctx;

	assert_ptr_equal(frame, n->room->data);
	assert_int_equal(len, n->room->len);
	n->room->to = *to;
	list_add(&n->frames, n->room);
	n->room = NULL;
}

static void out_packet(void *ctx, u8 *ip6, size_t len, bool stable)
{
	struct cn_node *n = ctx;

	(void)stable;
	list_add(&n->packets, item_new(ip6, len));
}

static void out_event(void *ctx, const struct fips_event *ev)
{
	struct cn_node *n = ctx;
	const void *bytes = NULL;
	struct cn_item *it;
	size_t len = 0;

	switch (ev->type) {
	case FIPS_EV_LINK_ACTIVE:
		n->link_active++;
		return;
	case FIPS_EV_SESSION_ACTIVE:
		n->session_active++;
		return;
	case FIPS_EV_RAW:
		bytes = ev->raw.data;
		len = ev->raw.len;
		break;
	case FIPS_EV_LINK_MSG:
		bytes = ev->link_msg.msg;
		len = ev->link_msg.len;
		break;
	case FIPS_EV_SESSION_MSG:
		bytes = ev->session_msg.body;
		len = ev->session_msg.len;
		break;
	case FIPS_EV_ROUTE_MISS:
	case FIPS_EV_MTU_EXCEEDED:
	case FIPS_EV_ROUTE_BACK:
	case FIPS_EV_COORDS:
		bytes = ev->route.header;
		len = ev->route.len;
		break;
	default:
		break;
	}
	it = item_new(bytes, len);
	it->ev = *ev;
	list_add(&n->events, it);
}

static const struct fips_core_out_ops out_ops = {
	.room = out_room,
	.frame = out_frame,
	.packet = out_packet,
	.event = out_event,
};

void cn_init(struct cn *cn, unsigned int count, const struct fips_core_config *bounds)
{
	static const char *const names[] = { "A", "B" };
	struct fips_core_config cfg = { 0 };
	struct fips_dp_dev dev = { .transport_mtu = CN_MTU, .ttl = 64 };
	json_t *root = vec_load("ipv6-shim");
	unsigned int i;

	memset(cn, 0, sizeof(*cn));
	cn->now = 1000000;
	cn->count = count;
	for (i = 0; i < count; i++) {
		struct cn_node *n = &cn->n[i];

		if (i < 2)
			vec_hex_into(vec_get(vec_get(root, "identities"), names[i]), "node_addr",
				     n->addr.b, 16);
		else
			memset(n->addr.b, 0x10 + (int)i, 16);
		fips_node_addr_to_ipv6(&n->addr, n->ipv6);
		if (bounds)
			cfg = *bounds;
		cfg.addr = n->addr;
		n->c = fips_core_new(&cfg);
		assert_non_null(n->c);
		dev.addr = n->addr;
		assert_int_equal(fips_core_dev_set(n->c, &dev), 0);
		n->out = (struct fips_core_out){ &out_ops, n, FIPS_LANE_TX };
		n->at.transport_id = 1;
		n->at.addr = (struct fips_taddr){ .kind = FIPS_TADDR_IPV4, .port = 2121,
						  .addr = { 10, 0, 0, (u8)(i + 1) } };
		list_init(&n->frames);
		list_init(&n->packets);
		list_init(&n->events);
	}
	json_decref(root);
}

void cn_free(struct cn *cn)
{
	unsigned int i;

	for (i = 0; i < cn->count; i++) {
		fips_core_free(cn->n[i].c);
		free(cn->n[i].room);
		cn_clear(&cn->n[i].frames);
		cn_clear(&cn->n[i].packets);
		cn_clear(&cn->n[i].events);
	}
}

struct fips_dp_key cn_key(unsigned int i, unsigned int j, u8 salt, u32 slot)
{
	struct fips_dp_key k = { .slot = slot, .has_key = true };

	/* Index: who put it there, for which peer, which epoch. */
	k.local_index = i << 24 | j << 16 | salt;
	k.remote_index = j << 24 | i << 16 | salt;
	memset(k.tx, (int)(i * 16 + j), sizeof(k.tx));
	memset(k.rx, (int)(j * 16 + i), sizeof(k.rx));
	k.tx[0] = salt;
	k.rx[0] = salt;
	return k;
}

static void link_one(struct cn *cn, unsigned int i, unsigned int j)
{
	struct fips_dp_key k = cn_key(i, j, 0, FIPS_KEY_SLOT_CURRENT);
	struct fips_dp_link l = {
		.id = 1 + j,
		.transport_id = 1,
		.peer = cn->n[j].addr,
		.remote = cn->n[j].at.addr,
		.mtu = CN_MTU,
		.key = &k,
	};

	assert_int_equal(fips_core_link_new(cn->n[i].c, &cn->n[i].out, cn->now, &l), 0);
}

static void session_one(struct cn *cn, unsigned int i, unsigned int j)
{
	struct fips_dp_key k = cn_key(i, j, 0x80, FIPS_KEY_SLOT_CURRENT);
	struct fips_dp_session s = {
		.remote = cn->n[j].addr,
		.path_mtu = FIPS_MTU_UNKNOWN,
		.key = &k,
	};

	assert_int_equal(fips_core_session_new(cn->n[i].c, &cn->n[i].out, cn->now, &s), 0);
}

void cn_link(struct cn *cn, unsigned int i, unsigned int j)
{
	link_one(cn, i, j);
	link_one(cn, j, i);
}

void cn_session(struct cn *cn, unsigned int i, unsigned int j)
{
	session_one(cn, i, j);
	session_one(cn, j, i);
}

void cn_route(struct cn *cn, unsigned int i, unsigned int dest, unsigned int via)
{
	assert_int_equal(fips_core_route_set(cn->n[i].c, &cn->n[i].out, cn->now,
					     &cn->n[dest].addr, 1 + via, 1), 0);
}

void cn_pair(struct cn *cn, unsigned int i, unsigned int j)
{
	cn_link(cn, i, j);
	cn_session(cn, i, j);
	cn_route(cn, i, j, j);
	cn_route(cn, j, i, i);
}

static void put_ip6(struct cn *cn, u8 *p, unsigned int i, unsigned int j, u8 nh, size_t plen)
{
	memset(p, 0, 40);
	p[0] = 0x60;
	fips_put_be16(p + 4, (u16)plen);
	p[6] = nh;
	p[7] = 64;
	memcpy(p + 8, cn->n[i].ipv6, 16);
	memcpy(p + 24, cn->n[j].ipv6, 16);
}

/* The slow sum of RFC 1071, in network order, over pseudo-header and payload. */
static u16 naive_sum(const u8 *p, size_t len)
{
	u32 sum = (u32)(len - 40) + p[6];
	size_t i;

	for (i = 8; i < len; i++)
		sum += (i & 1) ? p[i] : (u32)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (u16)sum;
}

bool cn_csum_ok(const u8 *p, size_t len)
{
	return naive_sum(p, len) == 0xffff;
}

void cn_csum_set(u8 *p, size_t len)
{
	u8 *field = p + 40 + (p[6] == 6 ? 16 : 6);
	u16 v;

	memset(field, 0, 2);
	v = (u16)~naive_sum(p, len);
	fips_put_be16(field, v ? v : 0xffff);
}

size_t cn_udp(struct cn *cn, u8 *p, unsigned int i, unsigned int j, size_t payload)
{
	size_t len = 48 + payload, k;

	put_ip6(cn, p, i, j, 17, 8 + payload);
	fips_put_be16(p + 40, 40000);
	fips_put_be16(p + 42, 9999);
	fips_put_be16(p + 44, (u16)(8 + payload));
	for (k = 0; k < payload; k++)
		p[48 + k] = (u8)(k * 7 + i);
	cn_csum_set(p, len);
	return len;
}

size_t cn_tcp(struct cn *cn, u8 *p, unsigned int i, unsigned int j, u32 seq, u8 flags,
	      size_t payload)
{
	size_t len = 72 + payload, k;

	put_ip6(cn, p, i, j, 6, 32 + payload);
	memset(p + 40, 0, 32);
	fips_put_be16(p + 40, 40000);
	fips_put_be16(p + 42, 5201);
	fips_put_be32(p + 44, seq);
	fips_put_be32(p + 48, 0x01020304);
	p[52] = 0x80;
	p[53] = flags;
	fips_put_be16(p + 54, 500);
	memcpy(p + 60, (const u8[]){ 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2 }, 12);
	for (k = 0; k < payload; k++)
		p[72 + k] = (u8)(seq + k);
	cn_csum_set(p, len);
	return len;
}

void cn_send(struct cn *cn, unsigned int i, const u8 *p, size_t len)
{
	u8 *copy = vec_exact(p, len);

	cn->n[i].out.lane = FIPS_LANE_TX;
	fips_core_packet(cn->n[i].c, &cn->n[i].out, cn->now, NULL, copy, len);
	free(copy);
}

void cn_recv(struct cn *cn, unsigned int i, const struct fips_endpoint *from, const u8 *f,
	     size_t len)
{
	u8 *copy = vec_exact(f, len);

	cn->n[i].out.lane = FIPS_LANE_RX;
	fips_core_frame(cn->n[i].c, &cn->n[i].out, cn->now, from, copy, len);
	free(copy);
}

unsigned int cn_pump(struct cn *cn)
{
	unsigned int done = 0, i, to;
	struct cn_item *it;
	bool more;

	do {
		more = false;
		for (i = 0; i < cn->count; i++) {
			it = cn_pop(&cn->n[i].frames);
			if (!it)
				continue;
			more = true;
			to = it->to.addr.addr[3] - 1U;
			if (to < cn->count)
				cn_recv(cn, to, &cn->n[i].at, it->data, it->len);
			free(it);
			done++;
		}
	} while (more);
	return done;
}

struct cn_item *cn_event(struct cn_node *n, enum fips_event_type type)
{
	struct cn_item *it = cn_pop(&n->events);

	assert_non_null(it);
	assert_int_equal(it->ev.type, type);
	return it;
}

u64 cn_drops(struct cn_node *n, enum fips_drop_reason reason)
{
	struct fips_dp_stats st;

	fips_core_dev_get(n->c, &st);
	return st.drops[reason];
}

u64 cn_all_drops(struct cn_node *n)
{
	struct fips_dp_stats st;
	u64 sum = 0;
	int i;

	fips_core_dev_get(n->c, &st);
	for (i = 0; i < FIPS_DROP_REASONS; i++)
		sum += st.drops[i];
	return sum;
}
