#include "table.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 64 };
static struct {
	char *key, *value;
} slots[SLOTS];

static int find(const char *key)
{
	int i = 0;

	while (i < SLOTS && slots[i].key && strcmp(slots[i].key, key))
		i++;
	return i;
}

const char *table_get(const char *key)
{
	int i = find(key);

	return i < SLOTS ? slots[i].value : NULL;
}

int table_set(const char *key, const char *value)
{
	int i = find(key);

	if (i == SLOTS)
		return 0;
	if (!slots[i].key)
		slots[i].key = strdup(key);
	free(slots[i].value);
	slots[i].value = strdup(value);
	return slots[i].key && slots[i].value;
}
