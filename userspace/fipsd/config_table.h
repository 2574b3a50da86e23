/* SPDX-License-Identifier: MIT */
/*
 * Shape of the key table (config_keys.c). Private to config*.c.
 */
#ifndef FIPSD_CONFIG_TABLE_H
#define FIPSD_CONFIG_TABLE_H

#include <yaml.h>

#include "config.h"

enum cfg_type {
	CFG_BOOL,
	CFG_U8,
	CFG_U16,
	CFG_U32,
	CFG_U64,
	CFG_F64,
	CFG_STR,
	CFG_ENUM,	/* one of @words, stored as u8 */
	CFG_STRLIST,
	CFG_U64LIST,
	CFG_MAP,	/* a section of the root: @sub */
	CFG_ELEMS,	/* list of mappings: array of @sub */
	CFG_INSTANCES,	/* one instance, or names of instances: array of @sub */
};

#define CFG_OPT		0x001	/* null is "unset": the default */
#define CFG_REQUIRED	0x002
#define CFG_LATER	0x004	/* known, not in force yet: say so once */
#define CFG_SECRET	0x008	/* never print the value */
#define CFG_AUTO	0x010	/* text: null and empty are "unset", too (spec 12 §4) */
#define CFG_POSITIVE	0x020	/* number above zero */
#define CFG_LEGACY	0x040	/* section: read last, wins over the rest (spec 12 §3.4) */
#define CFG_RESET	0x080	/* section: back to defaults before it is read */
#define CFG_FRACTION	0x100	/* 0 < x <= 1 */
#define CFG_NONEMPTY	0x200	/* list with at least one entry */
#define CFG_RESTART	0x400	/* key or section: a reload can't change it */

/**
 * struct cfg_key - one key
 * @name: as in the file
 * @alias: second spelling, or NULL
 * @type: enum cfg_type
 * @flags: CFG_*
 * @off: offset in the root, or in the element
 * @def: default as YAML text, NULL for none (strings: unset; lists: empty; numbers: 0)
 * @min: smallest accepted integer
 * @max: largest accepted integer
 * @words: of an enum, NULL-terminated
 * @sub: section of a MAP, ELEMS, INSTANCES
 * @present: MAP: offset of a bool to set, or 0
 */
struct cfg_key {
	const char *name;
	const char *alias;
	enum cfg_type type;
	unsigned int flags;
	size_t off;
	const char *def;
	u64 min;
	u64 max;
	const char *const *words;
	const struct cfg_section *sub;
	size_t present;
};

/**
 * struct cfg_section - a mapping
 * @strict: unknown keys are errors (spec 12 §4.1)
 * @typed: plain scalars are typed before a text field sees them (inside transports)
 * @size: of an element, 0 for sections of the root
 * @keys: their keys
 * @n: number of @keys, at most 64
 */
struct cfg_section {
	bool strict;
	bool typed;
	size_t size;
	const struct cfg_key *keys;
	size_t n;
};

extern const struct cfg_section fips_cfg_root;

/* ---- scalars (config_scalar.c): the YAML dialect of spec 12 §4 ---- */

/* A scalar as the file has it. */
struct cfg_scalar {
	const char *text;
	size_t len;
	bool plain;
};

bool cfg_is_null(const struct cfg_scalar *s);
/* A plain scalar that YAML reads as something other than text? (typed sections) */
bool cfg_is_typed(const struct cfg_scalar *s);
/* 0; -EINVAL: not of the type; -ERANGE. */
int cfg_bool(const struct cfg_scalar *s, bool *out);
int cfg_uint(const struct cfg_scalar *s, u64 max, u64 *out);
int cfg_float(const struct cfg_scalar *s, double *out);

/* ---- marks (config_marks.c) ---- */

struct fips_cfg_marks;

int cfg_marks_new(struct fips_config *cfg);
void cfg_marks_free(struct fips_config *cfg);
/* A copy of a path that lives as long as @cfg. NULL without memory. */
const char *cfg_marks_file(struct fips_config *cfg, const char *path);
u32 cfg_marks_uid(struct fips_config *cfg);
void cfg_marks_set(struct fips_config *cfg, u32 uid, size_t off, const struct fips_cfg_mark *at);
/* NULL if the field at @off of element @uid (0: the root) was never written. */
const struct fips_cfg_mark *cfg_marks_find(const struct fips_config *cfg, u32 uid, size_t off);

/* ---- values (config_value.c) ---- */

/* Put the defaults of @sec at @base (root or element). -ENOMEM. */
int cfg_defaults(const struct cfg_section *sec, void *base);
/* Free what @sec owns at @base, secrets wiped. */
void cfg_release(const struct cfg_section *sec, void *base);
void cfg_array_clear(const struct cfg_section *sec, struct fips_cfg_array *array);
/* Move an element in; its memory is taken over. -ENOMEM. */
int cfg_array_push(const struct cfg_section *sec, struct fips_cfg_array *array, const void *elem);
int cfg_set_string(char **field, const char *text, size_t len);
void cfg_wipe_string(char **field);

#endif /* FIPSD_CONFIG_TABLE_H */
