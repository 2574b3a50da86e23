// SPDX-License-Identifier: MIT
/*
 * Defaults and release of table-driven structs.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_table.h"

int cfg_set_string(char **field, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, text, len);
	copy[len] = '\0';
	cfg_wipe_string(field);
	*field = copy;
	return 0;
}

void cfg_wipe_string(char **field)
{
	if (*field)
		explicit_bzero(*field, strlen(*field));
	free(*field);
	*field = NULL;
}

static int strlist_default(struct fips_cfg_strlist *list, const char *def)
{
	list->v = NULL;
	list->n = 0;
	while (def && *def) {
		size_t len = strcspn(def, " ");
		char **v = realloc(list->v, (list->n + 1) * sizeof(*v));

		if (!v)
			return -ENOMEM;
		list->v = v;
		v[list->n] = NULL;
		if (cfg_set_string(&v[list->n], def, len))
			return -ENOMEM;
		list->n++;
		def += len + (def[len] == ' ');
	}
	return 0;
}

static int u64list_default(struct fips_cfg_u64list *list, const char *def)
{
	list->v = NULL;
	list->n = 0;
	while (def && *def) {
		u64 *v = realloc(list->v, (list->n + 1) * sizeof(*v));
		char *end;

		if (!v)
			return -ENOMEM;
		list->v = v;
		v[list->n++] = strtoull(def, &end, 10);
		def = end;
	}
	return 0;
}

static u64 enum_default(const struct cfg_key *key)
{
	u64 i;

	for (i = 0; key->words[i]; i++)
		if (!strcmp(key->words[i], key->def))
			return i;
	return 0;
}

static int key_default(const struct cfg_key *key, void *field)
{
	struct cfg_scalar s = { key->def ? key->def : "0", key->def ? strlen(key->def) : 1, true };
	u64 v = 0;
	int ret = 0;

	switch (key->type) {
	case CFG_BOOL:
		*(bool *)field = false;
		return key->def ? cfg_bool(&s, field) : 0;
	case CFG_U8:
	case CFG_U16:
	case CFG_U32:
	case CFG_U64:
		ret = cfg_uint(&s, ~(u64)0, &v);
		break;
	case CFG_F64:
		return cfg_float(&s, field);
	case CFG_STR:
		cfg_wipe_string(field);
		return key->def ? cfg_set_string(field, key->def, strlen(key->def)) : 0;
	case CFG_ENUM:
		*(u8 *)field = (u8)enum_default(key);
		return 0;
	case CFG_STRLIST:
		return strlist_default(field, key->def);
	case CFG_U64LIST:
		return u64list_default(field, key->def);
	case CFG_MAP:
	case CFG_ELEMS:
	case CFG_INSTANCES:
		return 0;
	}
	if (key->type == CFG_U8)
		*(u8 *)field = (u8)v;
	else if (key->type == CFG_U16)
		*(u16 *)field = (u16)v;
	else if (key->type == CFG_U32)
		*(u32 *)field = (u32)v;
	else
		*(u64 *)field = v;
	return ret;
}

int cfg_defaults(const struct cfg_section *sec, void *base)
{
	size_t i;
	int ret;

	assert(sec->n <= 64);
	for (i = 0; i < sec->n; i++) {
		const struct cfg_key *key = &sec->keys[i];

		if (key->flags & CFG_LEGACY)
			continue;
		ret = key->type == CFG_MAP ? cfg_defaults(key->sub, base) :
					     key_default(key, (char *)base + key->off);
		if (ret)
			return ret;
	}
	return 0;
}

void cfg_array_clear(const struct cfg_section *sec, struct fips_cfg_array *array)
{
	size_t i;

	for (i = 0; i < array->n; i++)
		cfg_release(sec, (char *)array->v + i * sec->size);
	free(array->v);
	array->v = NULL;
	array->n = 0;
}

int cfg_array_push(const struct cfg_section *sec, struct fips_cfg_array *array, const void *elem)
{
	char *v = realloc(array->v, (array->n + 1) * sec->size);

	if (!v)
		return -ENOMEM;
	array->v = v;
	memcpy(v + array->n++ * sec->size, elem, sec->size);
	return 0;
}

static void strlist_clear(struct fips_cfg_strlist *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	list->v = NULL;
	list->n = 0;
}

static void key_release(const struct cfg_key *key, void *base)
{
	void *field = (char *)base + key->off;

	switch (key->type) {
	case CFG_STR:
		cfg_wipe_string(field);
		break;
	case CFG_STRLIST:
		strlist_clear(field);
		break;
	case CFG_U64LIST:
		free(((struct fips_cfg_u64list *)field)->v);
		memset(field, 0, sizeof(struct fips_cfg_u64list));
		break;
	case CFG_MAP:
		if (!(key->flags & CFG_LEGACY))
			cfg_release(key->sub, base);
		break;
	case CFG_ELEMS:
	case CFG_INSTANCES:
		cfg_array_clear(key->sub, field);
		break;
	case CFG_BOOL:
	case CFG_U8:
	case CFG_U16:
	case CFG_U32:
	case CFG_U64:
	case CFG_F64:
	case CFG_ENUM:
		break;
	}
}

void cfg_release(const struct cfg_section *sec, void *base)
{
	size_t i;

	for (i = 0; i < sec->n; i++)
		key_release(&sec->keys[i], base);
	if (sec->size)
		cfg_wipe_string(&((struct fips_cfg_elem *)base)->name);
}
