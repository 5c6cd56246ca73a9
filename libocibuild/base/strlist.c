/* base/strlist.c — see strlist.h. The array is NULL-terminated at all times, so items is an argv. */
#include "base/strlist.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void ob_strlist_done(ob_strlist *list)
{
	for (size_t i = 0; i < list->len; i++)
		free(list->items[i]);
	free(list->items);
	*list = (ob_strlist){0};
}

int ob_strlist_take(ob_strlist *list, char *text)
{
	if (!text)
		return -1;
	if (list->len + 2 > list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 8;
		char **grown = reallocarray(list->items, cap, sizeof(*grown));

		if (!grown) {
			free(text);
			return -1;
		}
		list->items = grown;
		list->cap = cap;
	}
	list->items[list->len++] = text;
	list->items[list->len] = NULL;
	return 0;
}

int ob_strlist_add(ob_strlist *list, const char *text)
{
	return ob_strlist_take(list, strdup(text));
}

int ob_strlist_add_len(ob_strlist *list, const char *text, size_t len)
{
	char *copy = malloc(len + 1);

	if (!copy)
		return -1;
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return ob_strlist_take(list, copy);
}

int ob_strlist_add_printf(ob_strlist *list, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return ob_strlist_take(list, text);
}

int ob_strlist_copy(ob_strlist *to, const ob_strlist *from)
{
	for (size_t i = 0; i < from->len; i++)
		if (ob_strlist_add(to, from->items[i]) < 0)
			return -1;
	return 0;
}

bool ob_strlist_contains(const ob_strlist *list, const char *text)
{
	for (size_t i = 0; i < list->len; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

void ob_strlist_remove(ob_strlist *list, size_t index)
{
	if (index >= list->len)
		return;
	free(list->items[index]);
	/* The terminating NULL moves along. */
	memmove(list->items + index, list->items + index + 1,
		(list->len - index) * sizeof(*list->items));
	list->len--;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void ob_strlist_sort(ob_strlist *list)
{
	if (list->len > 1)
		qsort(list->items, list->len, sizeof(*list->items), by_bytes);
}

/* Index of KEY's entry, or SIZE_MAX. An entry without '=' counts as a key without a value. */
static size_t env_find(const ob_strlist *env, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < env->len; i++) {
		const char *item = env->items[i];

		if (strncmp(item, key, len) == 0 && (item[len] == '=' || !item[len]))
			return i;
	}
	return SIZE_MAX;
}

int ob_env_set(ob_strlist *env, const char *key, const char *value)
{
	size_t at = env_find(env, key);
	char *text = NULL;

	if (asprintf(&text, "%s=%s", key, value) < 0)
		return -1;
	if (at == SIZE_MAX)
		return ob_strlist_take(env, text);
	free(env->items[at]);
	env->items[at] = text;
	return 0;
}

const char *ob_env_get(const ob_strlist *env, const char *key)
{
	size_t at = env_find(env, key);
	const char *equals;

	if (at == SIZE_MAX)
		return NULL;
	equals = strchr(env->items[at], '=');
	return equals ? equals + 1 : "";
}

void ob_env_unset(ob_strlist *env, const char *key)
{
	ob_strlist_remove(env, env_find(env, key));
}
