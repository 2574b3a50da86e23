/* SPDX-License-Identifier: MIT */
/*
 * The scripted peer: an attacker that knows the protocol, and keeps none of its
 * rules unless it is told to. It has a UDP socket of its own, a raw one for
 * sources that are not its own, and an ear on the victim's cable.
 *
 * Everything is synchronous: an attack is a function that sends until its time
 * is over, and foe_pace_next() answers for it meanwhile (heartbeats, and what
 * its @hear makes of messages).
 */
#ifndef SELFTESTS_HOSTILE_FOE_H
#define SELFTESTS_HOSTILE_FOE_H

#include <netinet/in.h>

#include "bloom.h"
#include "coords_math.h"
#include "fmp.h"
#include "fsp.h"
#include "lookup_codec.h"
#include "noise.h"
#include "secret.h"
#include "tree_codec.h"

#define FOE_FRAME	2048
#define FOE_ROOM	(FOE_FRAME - 64)

struct foe;

/**
 * struct foe_link - a link to the victim, as the attacker sees it
 * @up: msg2 came, the keys are there
 * @keys: to seal and open with
 * @as: who we were when it came up
 * @ours: our index
 * @theirs: the victim's
 * @ctr: next counter
 * @since: ms, base of the timestamps
 * @next_beat: ms, next heartbeat
 */
struct foe_link {
	bool up;
	struct fips_noise_keys keys;
	struct fips_node_addr as;
	u32 ours;
	u32 theirs;
	u64 ctr;
	u64 since;
	u64 next_beat;
};

/**
 * struct foe_host - a node of the arena
 * @id: who
 * @at: its UDP endpoint
 */
struct foe_host {
	struct fips_identity id;
	struct sockaddr_in at;
};

/**
 * struct foe - the attacker
 * @pk: curve
 * @secrets: locked memory
 * @env: of its handshakes; its epoch is in there
 * @self: its key
 * @fd: own socket
 * @raw: for spoofed sources
 * @tap: ear on the victim's cable, -1 = none
 * @victim: the node under attack
 * @near: honest node that dialled the victim
 * @far: honest node behind it
 * @gone: a node that @near looks for all the time, and that is nowhere
 * @link: to the victim
 * @tree_seq: of the last TreeAnnounce
 * @filter_seq: of the last FilterAnnounce
 * @path: the victim's coordinates, as it announced them
 * @path_count: entries of @path
 * @hear: gets every link message that the victim sends, or NULL
 * @ctx: for @hear
 * @mute: send no heartbeats
 * @sent: frames and packets so far
 */
struct foe {
	struct fips_pk pk;
	struct fips_secrets *secrets;
	struct fips_noise_env env;
	struct fips_keypair self;
	int fd;
	int raw;
	int tap;
	struct foe_host victim;
	struct foe_host near;
	struct foe_host far;
	struct foe_host gone;
	struct foe_link link;
	u64 tree_seq;
	u64 filter_seq;
	struct fips_node_addr path[FIPS_COORDS_DEPTH];
	u16 path_count;
	void (*hear)(struct foe *f, const u8 *msg, size_t len);
	void *ctx;
	bool mute;
	u64 sent;
};

/**
 * struct foe_pace - so many steps a second until the time is over
 * @end: us
 * @next: us, next step
 * @step: us between steps
 */
struct foe_pace {
	u64 end;
	u64 next;
	u64 step;
};

_Noreturn __attribute__((format(printf, 1, 2))) void foe_die(const char *fmt, ...);
u64 foe_now_us(void);
static inline u64 foe_now(void)
{
	return foe_now_us() / 1000;
}

u32 foe_random32(void);
void foe_random(void *buf, size_t len);

/* foe.c: beginning, end, time */
int foe_init(struct foe *f);
void foe_fini(struct foe *f);
void foe_new_self(struct foe *f);
void foe_new_epoch(struct foe *f);
void foe_begin(const struct foe *f);
struct foe_pace foe_pace(double seconds, u32 per_second);
bool foe_pace_next(struct foe *f, struct foe_pace *p);
void foe_pump(struct foe *f, u64 ms);

/* foe_net.c: packets */
int foe_udp(const char *endpoint);
int foe_raw_open(void);
int foe_tap_open(const char *ifname);
bool foe_parse_endpoint(struct sockaddr_in *at, const char *text);
void foe_send_raw(struct foe *f, const void *buf, size_t len);
void foe_spoof_at(struct foe *f, u32 ip, u16 port, const struct sockaddr_in *to, const void *buf,
		  size_t len);
void foe_spoof(struct foe *f, u32 ip, u16 port, const void *buf, size_t len);

/**
 * struct foe_packet - a UDP packet on the victim's cable
 * @from: source
 * @to: destination
 * @data: payload
 * @len: its length
 */
struct foe_packet {
	struct sockaddr_in from;
	struct sockaddr_in to;
	u8 data[FOE_FRAME];
	size_t len;
};

bool foe_tap_next(struct foe *f, struct foe_packet *p, u64 until_ms);
bool foe_same_endpoint(const struct sockaddr_in *a, const struct sockaddr_in *b);

/* foe_link.c: handshakes and links */
size_t foe_msg1(struct foe *f, const struct fips_noise_env *env, u8 *msg1, u32 index,
		struct fips_noise **hs);
void foe_join(struct foe *f);
void foe_settle(struct foe *f);
/* As a settled neighbour: the attack begins, with so many steps a second. */
struct foe_pace foe_pace_joined(struct foe *f, double seconds, u32 per_second);
void foe_link_send(struct foe *f, const u8 *msg, size_t len);
size_t foe_link_seal(struct foe *f, const u8 *msg, size_t len, u8 *frame);
void foe_link_receive(struct foe *f, const u8 *frame, size_t len);
void foe_announce(struct foe *f, const struct fips_node_addr *path, u16 count);
void foe_announce_as(struct foe *f, const struct fips_tree_decl *decl,
		     const struct fips_node_addr *path, u16 count, const u8 *sig);
void foe_filter(struct foe *f, const struct fips_bloom *bloom, u8 hash_count);
void foe_filter_own(struct foe *f);
void foe_datagram(struct foe *f, const struct fips_node_addr *src,
		  const struct fips_node_addr *dst, u8 ttl, const u8 *fsp, size_t len);

/* foe_session.c */

/**
 * struct foe_session - a session with somebody, by way of the victim
 * @up: msg3 went out
 * @remote: who
 * @hs: handshake, until @up
 * @keys: to seal and open with
 * @ctr: next counter
 * @since: ms, base of the timestamps
 */
struct foe_session {
	bool up;
	struct fips_identity remote;
	struct fips_noise *hs;
	struct fips_noise_keys keys;
	u64 ctr;
	u64 since;
};

size_t foe_setup_build(struct foe *f, const struct fips_node_addr *src, const u8 *xk1, u8 *buf);
bool foe_session_open(struct foe *f, struct foe_session *s, const struct foe_host *who);
void foe_session_close(struct foe_session *s);
void foe_session_say(struct foe *f, struct foe_session *s, u8 type, const u8 *body, size_t len);

/* ---- attacks ---- */

/**
 * struct foe_attack - one attack
 * @name: as in the TAP line
 * @class: "stranger", "peer", "session"
 * @counter: what of fipsctl's names it: "status .handshakes.msg1_replayed"
 * @seconds: in the short test
 * @run: carries it out; calls foe_begin() when all is prepared
 * @joins: newcomers must get in meanwhile
 * @what: what it sends
 */
struct foe_attack {
	const char *name;
	const char *class;
	const char *counter;
	unsigned int seconds;
	void (*run)(struct foe *f, double seconds);
	bool joins;
	const char *what;
};

extern const struct foe_attack foe_stranger_attacks[];
extern const struct foe_attack foe_flood_attacks[];
extern const struct foe_attack foe_peer_attacks[];
extern const struct foe_attack foe_tree_attacks[];
extern const struct foe_attack foe_mesh_attacks[];
extern const struct foe_attack foe_session_attacks[];

#endif /* SELFTESTS_HOSTILE_FOE_H */
