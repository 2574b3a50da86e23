/* SPDX-License-Identifier: MIT */
/* Private to the kernel provider. */
#ifndef FIPSD_KERNEL_H
#define FIPSD_KERNEL_H

#include "../libfips/provider.h"

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

#endif /* FIPSD_KERNEL_H */
