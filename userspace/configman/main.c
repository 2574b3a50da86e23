// SPDX-License-Identifier: MIT
/*
 * config-man: makes fips.yaml(5) from a template on standard input, whose line
 * "@KEYS@" stands for all keys. `make config-man` runs it.
 */
#include <stdio.h>
#include <string.h>

#include "../fipsd/config_doc.h"

int main(void)
{
	char line[512];

	while (fgets(line, sizeof(line), stdin)) {
		if (strcmp(line, "@KEYS@\n"))
			fputs(line, stdout);
		else
			fips_config_man(stdout);
	}
	return ferror(stdout) ? 1 : 0;
}
