/* SPDX-License-Identifier: MIT */
/*
 * The shell of the user data plane: threads, TUN, sockets around the packet core.
 *
 *   worker tx   TUN -> fips_core_packet() -> UDP    (lane FIPS_LANE_TX)
 *   worker rx   UDP -> fips_core_frame()  -> TUN    (lane FIPS_LANE_RX)
 *   the loop    commands of the node, events to the node
 *
 * One worker a direction keeps every flow in order without further ado, and one
 * TCP stream keeps two cores busy: the sender's tx and the receiver's rx.
 *
 * Locking: @lock of struct fips_user is the core's shared (workers, for one
 * batch at a time) and exclusive (loop) side; writers go first, so a command
 * waits for a batch at most. The table of transports is under it, too. Events
 * have a lock of their own, taken inside.
 */
#ifndef FIPS_USER_H
#define FIPS_USER_H

#include <linux/virtio_net.h>
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "aead.h"
#include "coalesce.h"
#include "core.h"
#include "provider.h"

#define FIPS_USER_TRANSPORTS	32

struct fips_user;

/**
 * struct fips_utransport - a lent datagram socket
 * @id: the node's number, 0 = free place
 * @fd: socket, the daemon's
 * @segment: UDP_SEGMENT works; cleared by any sender
 *
 * A socket bound to a wildcard says on which of our addresses a frame came; the
 * answer leaves from there.
 */
struct fips_utransport {
	u32 id;
	int fd;
	atomic_bool segment;
};

/**
 * struct fips_run - frames of one length to one endpoint, side by side in memory
 * @to: endpoint
 * @start: first frame
 * @len: bytes in all
 * @size: length of each but the last
 * @count: frames
 * @open: may grow
 */
struct fips_run {
	struct fips_endpoint to;
	u8 *start;
	u32 len;
	u32 size;
	u32 count;
	bool open;
};

#define FIPS_BATCH_RUNS		64
#define FIPS_BATCH_BYTES	(136 << 10)

/**
 * struct fips_batch - frames that leave together; one thread's
 * @u: provider
 * @arena: their memory, made with the first frame
 * @used: bytes of it
 * @count: runs
 * @sent: of these have been sent
 * @run: they, in order
 */
struct fips_batch {
	struct fips_user *u;
	u8 *arena;
	u32 used;
	u32 count;
	u32 sent;
	struct fips_run run[FIPS_BATCH_RUNS];
};

/**
 * struct fips_outlet - what one thread gives the core to write to
 * @u: provider
 * @out: the core's view
 * @batch: frames
 * @merge: worker rx: packets for the TUN; NULL elsewhere
 */
struct fips_outlet {
	struct fips_user *u;
	struct fips_core_out out;
	struct fips_batch batch;
	struct fips_merge *merge;
};

struct fips_uevent;

enum fips_uevent_class {
	FIPS_UEVENT_CONTROL,
	FIPS_UEVENT_DATA,
	FIPS_UEVENT_RAW,
	FIPS_UEVENT_CLASSES,
};

/**
 * struct fips_uevents - what goes up to the loop
 * @lock: protects all of it
 * @head: oldest
 * @tail: where the next goes
 * @count: waiting, by class
 * @lost: a control event was lost
 */
struct fips_uevents {
	pthread_mutex_t lock;
	struct fips_uevent *head, **tail;
	u32 count[FIPS_UEVENT_CLASSES];
	bool lost;
};

/* Handles live until the loop has closed them, longer than the provider. */
struct fips_user_handles {
	uv_async_t async;
	uv_timer_t timer;
	struct fips_user *u;
	int open;
};

/**
 * struct fips_user - the provider
 * @host: the daemon
 * @cfg: configuration; its ifname is @name
 * @name: interface
 * @lock: see above
 * @core: packet core
 * @engine: its AEAD accelerators, NULL without
 * @transports: under @lock
 * @tun: descriptor, or -1
 * @ruled: our routing rule was added
 * @epoll: worker rx's
 * @stop_fd: wakes the workers to end
 * @stop: they shall
 * @tick: the core wants fips_core_tick()
 * @tx_runs: @tx_thread is there
 * @rx_runs: @rx_thread is there
 * @tx_thread: worker tx
 * @rx_thread: worker rx
 * @tx: worker tx's outlet
 * @rx: worker rx's
 * @loop: the loop's
 * @events: for the node
 * @handles: of the loop
 */
struct fips_user {
	struct fips_provider_host host;
	struct fips_provider_config cfg;
	char name[16];
	pthread_rwlock_t lock;
	struct fips_core *core;
	struct fips_aead_engine *engine[FIPS_LANES];
	struct fips_utransport transports[FIPS_USER_TRANSPORTS];
	int tun;
	bool ruled;
	int epoll;
	int stop_fd;
	atomic_bool stop;
	atomic_bool tick;
	bool tx_runs;
	bool rx_runs;
	pthread_t tx_thread;
	pthread_t rx_thread;
	struct fips_outlet tx;
	struct fips_outlet rx;
	struct fips_outlet loop;
	struct fips_uevents events;
	struct fips_user_handles *handles;
};

static inline u64 fips_user_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000 + (u64)ts.tv_nsec / 1000000;
}

void fips_user_log(struct fips_user *u, int level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* user_lane.c */
void fips_outlet_init(struct fips_outlet *o, struct fips_user *u, enum fips_lane lane);
void fips_outlet_free(struct fips_outlet *o);
/* Everything out; the memory of received frames is free afterwards. */
void fips_outlet_flush(struct fips_outlet *o);
int fips_workers_start(struct fips_user *u);
void fips_workers_stop(struct fips_user *u);

/* user_tun.c */
/* Make the device; 0 or a negative errno with a sentence in @why. */
int fips_tun_open(struct fips_user *u, char *why, size_t why_len);
void fips_tun_close(struct fips_user *u);
/* Room for the largest packet and, in front of it, for the virtio-net header. */
#define FIPS_TUN_BUF		(65536 + 128)
#define FIPS_TUN_HEADROOM	16
/* One packet to @buf + FIPS_TUN_HEADROOM; its length, 0 for one to skip, or a negative errno. */
ssize_t fips_tun_read(struct fips_user *u, u8 *buf, struct fips_gso *gso);
/* @iov[0] is filled here. */
void fips_tun_write(struct fips_user *u, struct iovec *iov, int n, const struct fips_gso *gso,
		    bool verified);
void fips_tun_write_one(struct fips_user *u, u8 *ip6, size_t len);

/* user_udp.c */
u8 *fips_batch_room(struct fips_batch *b, size_t len);
void fips_batch_frame(struct fips_batch *b, const struct fips_endpoint *to, u8 *frame, size_t len);
/*
 * Send what a socket takes. Return: a negative number when all is out, else the
 * descriptor whose buffer is full; call again when it is writable.
 */
int fips_batch_send(struct fips_batch *b);
/* Send all; what a socket doesn't take now is dropped. */
void fips_batch_flush(struct fips_batch *b);
struct fips_utransport *fips_utransport_find(struct fips_user *u, u32 id);
int fips_utransport_add(struct fips_user *u, u32 id, int fd);
int fips_utransport_del(struct fips_user *u, u32 id);

struct fips_rxbuf;

struct fips_rxbuf *fips_rxbuf_new(void);
void fips_rxbuf_free(struct fips_rxbuf *b);
/* Receive what waits and give it to the core; how many datagrams there were. */
int fips_udp_receive(struct fips_user *u, struct fips_rxbuf *b, struct fips_utransport *t,
		     u64 now);

/* user_event.c */
int fips_uevents_init(struct fips_uevents *q);
void fips_uevents_free(struct fips_uevents *q);
/* Copy an event for the loop; any thread. */
void fips_uevents_push(struct fips_user *u, const struct fips_event *ev);
/* Hand all to the node; loop. */
void fips_uevents_deliver(struct fips_user *u);

#endif /* FIPS_USER_H */
