// SPDX-License-Identifier: MIT
/* fipsctl reload: the daemon reads its configuration again. */
#include <stdio.h>

#include "fipsctl.h"

static void print_keys(const char *what, const json_t *keys)
{
	json_t *key;
	size_t i;

	if (!json_array_size(keys))
		return;
	printf("%-14s", what);
	json_array_foreach(keys, i, key)
		printf("%s%s", i ? ", " : " ", json_string_value(key));
	putchar('\n');
}

int fipsctl_reload(const struct fipsctl *ctl, int argc, char **argv)
{
	json_t *data;

	if (argc)
		return fipsctl_usage("unexpected argument", argv[0]);
	data = fipsctl_request(ctl, "reload", NULL);
	if (!data)
		return FIPSCTL_FAILED;
	if (ctl->json) {
		fipsctl_print_json(data);
	} else {
		print_keys("changed", json_object_get(data, "changed"));
		print_keys("needs restart", json_object_get(data, "restart"));
		if (!json_array_size(json_object_get(data, "changed")) &&
		    !json_array_size(json_object_get(data, "restart")))
			printf("nothing changed\n");
	}
	json_decref(data);
	return 0;
}
