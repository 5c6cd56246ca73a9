#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "table.h"

int main(void)
{
	char key[8];

	assert(!table_get("a"));
	assert(table_set("a", "1") && table_set("a", "2") && !strcmp(table_get("a"), "2"));
	for (int i = 1; i < 64; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		assert(table_set(key, "x"));
	}
	assert(!table_set("one more", "x"));
	puts("check passed");
	return 0;
}
