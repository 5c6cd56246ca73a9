/* cli/release/text_pool.h — strings that live as long as one release.
 *
 * A release is a short run that makes many small texts out of one another. They are all freed at once,
 * so no function here has to say who owns what. When memory runs out, the pool remembers it and hands
 * out empty strings; the run ends at the next look at text_pool_ok().
 */
#ifndef CLI_RELEASE_TEXT_POOL_H
#define CLI_RELEASE_TEXT_POOL_H

#include <stdbool.h>
#include <stddef.h>

typedef struct text_pool {
	void **blocks;
	size_t len, cap;
	bool failed;
} text_pool;

void text_pool_done(text_pool *pool);
bool text_pool_ok(const text_pool *pool); /**< false: memory ran out */
/** Zeroed memory; NULL: no memory. */
void *text_pool_alloc(text_pool *pool, size_t size);
const char *text_printf(text_pool *pool, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
const char *text_copy(text_pool *pool, const char *text, size_t len);

/** Words of others for a terminal or a log: control characters, C1's included, become '?'. */
void text_make_harmless(char *text);
const char *text_copy_harmless(text_pool *pool, const char *text, size_t len);

/** NULL-terminated whenever it is not NULL. */
typedef struct text_list {
	const char **items;
	size_t len;
} text_list;
/** The text is borrowed. */
void text_list_add(text_pool *pool, text_list *list, const char *text);

#endif
