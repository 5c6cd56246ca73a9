/* cli/release/text_pool.c — see text_pool.h. Nothing is freed before all is. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "text_pool.h"

void text_pool_done(text_pool *pool)
{
	for (size_t i = 0; i < pool->len; i++)
		free(pool->blocks[i]);
	free(pool->blocks);
	*pool = (text_pool){0};
}

bool text_pool_ok(const text_pool *pool)
{
	return !pool->failed;
}

/* Takes @block; NULL fails. */
static void *keep(text_pool *pool, void *block)
{
	if (block && pool->len == pool->cap) {
		size_t cap = pool->cap ? 2 * pool->cap : 64;
		void **blocks = reallocarray(pool->blocks, cap, sizeof(*blocks));

		if (!blocks) {
			free(block);
			block = NULL;
		} else {
			pool->blocks = blocks;
			pool->cap = cap;
		}
	}
	if (block)
		pool->blocks[pool->len++] = block;
	else
		pool->failed = true;
	return block;
}

void *text_pool_alloc(text_pool *pool, size_t size)
{
	return keep(pool, calloc(1, size ? size : 1));
}

const char *text_printf(text_pool *pool, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	text = keep(pool, len < 0 ? NULL : text);
	return text ? text : "";
}

const char *text_copy(text_pool *pool, const char *text, size_t len)
{
	char *copy = keep(pool, strndup(text, len));

	return copy ? copy : "";
}

void text_make_harmless(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		bool c1 = at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0;

		if (c1)
			*at++ = '?';
		if (c1 || *at < 0x20 || *at == 0x7f)
			*at = '?';
	}
}

const char *text_copy_harmless(text_pool *pool, const char *text, size_t len)
{
	char *copy = keep(pool, strndup(text, len));

	if (!copy)
		return "";
	text_make_harmless(copy);
	return copy;
}

void text_list_add(text_pool *pool, text_list *list, const char *text)
{
	/* Grown by doubling; what was outgrown stays in the pool. */
	if (!list->items || (list->len & (list->len + 1)) == 0) {
		const char **items = text_pool_alloc(pool, (2 * list->len + 3) * sizeof(*items));

		if (!items)
			return;
		for (size_t i = 0; i < list->len; i++)
			items[i] = list->items[i];
		list->items = items;
	}
	list->items[list->len++] = text;
	list->items[list->len] = NULL;
}
