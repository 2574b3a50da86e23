/* SPDX-License-Identifier: MIT */
/* Private to the kernel provider. */
#ifndef FIPSD_KERNEL_H
#define FIPSD_KERNEL_H

#include <net/if.h>
#include <uv.h>

#include "../libfips/node.h"
#include "../libfips/provider.h"
#include "../nl/fipsnl.h"

/**
 * struct kernel - the provider's state
 * @control: commands, and control upcalls
 * @data: data upcalls
 * @poll: one for each socket
 * @later: runs while upcalls are kept in @control
 * @open_handles: of libuv, until the last has closed
 * @inherited: a predecessor's objects stand
 * @epoch: its startup epoch
 * @taken: bit id - 1: its transport goes on
 */
struct kernel {
	struct fips_provider_config cfg;
	char ifname[IFNAMSIZ];
	struct fips_provider_host host;
	u32 ifindex;
	bool ruled;
	struct fipsnl control;
	struct fipsnl data;
	uv_poll_t poll[2];
	uv_idle_t later;
	int open_handles;
	bool inherited;
	u8 epoch[FIPS_EPOCH_LEN];
	u64 taken;
};

__attribute__((format(printf, 3, 4)))
void kernel_say(struct kernel *k, int level, const char *fmt, ...);

/**
 * kernel_device_new() - make an interface of kind "fips"
 * @name: its name
 * @mtu: its MTU
 * @why: a sentence on failure
 * @why_len: its size
 *
 * Return: 0; -EEXIST, one of that name and kind is there already; -EBUSY, the
 * name belongs to another kind of interface; another negative errno.
 */
int kernel_device_new(const char *name, u16 mtu, char *why, size_t why_len);

/* Takeover (kernel_takeover.c); see struct fips_provider. */
bool kernel_inherited(void *dp, u8 *epoch);
int kernel_transport_take(void *dp, struct fips_transport_info *info);
void kernel_restore(void *dp, struct fips_node *n, const struct fips_clock *now);

#endif /* FIPSD_KERNEL_H */
