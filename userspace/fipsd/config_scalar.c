// SPDX-License-Identifier: MIT
/*
 * Scalars of the YAML dialect (spec 12 §4): what counts as null, bool, whole
 * number and float. Quoted scalars are text and nothing else.
 */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config_table.h"

static bool text_is(const struct cfg_scalar *s, const char *const *words)
{
	for (; *words; words++)
		if (s->len == strlen(*words) && !memcmp(s->text, *words, s->len))
			return true;
	return false;
}

bool cfg_is_null(const struct cfg_scalar *s)
{
	static const char *const words[] = { "", "~", "null", "Null", "NULL", NULL };

	return s->plain && text_is(s, words);
}

int cfg_bool(const struct cfg_scalar *s, bool *out)
{
	static const char *const yes[] = { "true", "True", "TRUE", NULL };
	static const char *const no[] = { "false", "False", "FALSE", NULL };

	if (!s->plain)
		return -EINVAL;
	if (text_is(s, yes))
		*out = true;
	else if (text_is(s, no))
		*out = false;
	else
		return -EINVAL;
	return 0;
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Digits of @base without a sign. Overflow is -ERANGE, but only if all are digits. */
static int magnitude(const char *p, const char *end, unsigned int base, u64 *out)
{
	bool over = false;
	u64 v = 0;

	if (p == end)
		return -EINVAL;
	for (; p < end; p++) {
		unsigned int d = (unsigned int)digit(*p);

		if (d >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
			over = true;
	}
	*out = v;
	return over ? -ERANGE : 0;
}

int cfg_uint(const struct cfg_scalar *s, u64 max, u64 *out)
{
	const char *p = s->text, *end = s->text + s->len;
	unsigned int base = 10;
	bool negative = false;
	u64 v;
	int ret;

	if (!s->plain)
		return -EINVAL;
	if (p < end && (*p == '+' || *p == '-'))
		negative = *p++ == '-';
	if (end - p > 2 && p[0] == '0' && strchr("xob", p[1])) {
		base = p[1] == 'x' ? 16 : p[1] == 'o' ? 8 : 2;
		p += 2;
	} else if (end - p > 1 && p[0] == '0') {
		return -EINVAL;	/* leading zero: text */
	}
	ret = magnitude(p, end, base, &v);
	if (ret)
		return ret;
	if (negative || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

static bool special_float(const struct cfg_scalar *s, double *out)
{
	static const char *const inf[] = {
		".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", NULL
	};
	static const char *const ninf[] = { "-.inf", "-.Inf", "-.INF", NULL };
	static const char *const nan_[] = { ".nan", ".NaN", ".NAN", NULL };

	if (text_is(s, inf))
		*out = HUGE_VAL;
	else if (text_is(s, ninf))
		*out = -HUGE_VAL;
	else if (text_is(s, nan_))
		*out = NAN;
	else
		return false;
	return true;
}

/* [sign] digits [. digits] [e [sign] digits], at least one digit before the exponent */
static bool float_syntax(const char *p, const char *end)
{
	size_t digits = 0;

	if (p < end && (*p == '+' || *p == '-'))
		p++;
	for (; p < end && isdigit((unsigned char)*p); p++)
		digits++;
	if (p < end && *p == '.')
		for (p++; p < end && isdigit((unsigned char)*p); p++)
			digits++;
	if (!digits)
		return false;
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		if (p == end)
			return false;
		while (p < end && isdigit((unsigned char)*p))
			p++;
	}
	return p == end;
}

int cfg_float(const struct cfg_scalar *s, double *out)
{
	char buf[64];
	u64 whole;

	if (!s->plain)
		return -EINVAL;
	if (!cfg_uint(s, ~(u64)0, &whole)) {
		*out = (double)whole;
		return 0;
	}
	if (special_float(s, out))
		return 0;
	if (s->len >= sizeof(buf) || !float_syntax(s->text, s->text + s->len))
		return -EINVAL;
	/* "007" is text, "0.7" and "0e1" are not */
	if (s->len > 1 && s->text[0] == '0' && isdigit((unsigned char)s->text[1]))
		return -EINVAL;
	memcpy(buf, s->text, s->len);
	buf[s->len] = '\0';
	*out = strtod(buf, NULL);	/* the daemon never leaves the C locale */
	return 0;
}

bool cfg_is_typed(const struct cfg_scalar *s)
{
	double f;
	bool b;
	u64 u;
	int ret;

	if (!s->plain)
		return false;
	ret = cfg_uint(s, ~(u64)0, &u);
	return cfg_is_null(s) || !cfg_bool(s, &b) || !ret || ret == -ERANGE || !cfg_float(s, &f);
}
