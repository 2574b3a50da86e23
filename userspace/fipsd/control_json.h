/* SPDX-License-Identifier: MIT */
/* Members of replies, for the files that make them. */
#ifndef FIPSD_CONTROL_JSON_H
#define FIPSD_CONTROL_JSON_H

#include <jansson.h>

#include "identity.h"

static inline void put(json_t *obj, const char *key, json_t *value)
{
	json_object_set_new(obj, key, value);
}

static inline void put_str(json_t *obj, const char *key, const char *text)
{
	/* Aliases and paths come from files: not UTF-8 is possible. */
	json_t *value = json_string(text);

	put(obj, key, value ? value : json_string("?"));
}

static inline void put_int(json_t *obj, const char *key, u64 value)
{
	put(obj, key, json_integer((json_int_t)value));
}

static inline void put_real(json_t *obj, const char *key, double value)
{
	put(obj, key, json_real(value));
}

static inline void put_bool(json_t *obj, const char *key, bool value)
{
	put(obj, key, json_boolean(value));
}

#endif /* FIPSD_CONTROL_JSON_H */
