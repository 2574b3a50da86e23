/* SPDX-License-Identifier: MIT */
/* Values out of a daemon's reply; what is missing reads as "-", 0 or no. */
#ifndef FIPSCTL_REPLY_H
#define FIPSCTL_REPLY_H

#include <jansson.h>
#include <stdint.h>

static inline const char *str(const json_t *obj, const char *key)
{
	const char *text = json_string_value(json_object_get(obj, key));

	return text ? text : "-";
}

static inline uint64_t num(const json_t *obj, const char *key)
{
	const json_t *v = json_object_get(obj, key);

	/* Reals: see parse_reply() in client.c. */
	return json_is_real(v) ? (uint64_t)json_real_value(v) : (uint64_t)json_integer_value(v);
}

static inline const char *yes(const json_t *obj, const char *key)
{
	return json_is_true(json_object_get(obj, key)) ? "yes" : "no";
}

#endif /* FIPSCTL_REPLY_H */
