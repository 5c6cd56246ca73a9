/* base/strlist.h — a list of owned strings, and of KEY=VALUE strings as environments use them.
 *
 * Adding reports failure as -1 (no memory only).
 */
#ifndef OB_BASE_STRLIST_H
#define OB_BASE_STRLIST_H

#include <stdbool.h>
#include <stddef.h>

typedef struct ob_strlist {
	char **items; /**< NULL-terminated whenever it is not NULL */
	size_t len;
	size_t cap;
} ob_strlist;

void ob_strlist_done(ob_strlist *list);
int ob_strlist_add(ob_strlist *list, const char *text);
int ob_strlist_add_len(ob_strlist *list, const char *text, size_t len);
int ob_strlist_add_printf(ob_strlist *list, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int ob_strlist_take(ob_strlist *list, char *text); /**< owns text, also on failure; NULL fails */
int ob_strlist_copy(ob_strlist *to, const ob_strlist *from); /**< appends */
bool ob_strlist_contains(const ob_strlist *list, const char *text);
void ob_strlist_remove(ob_strlist *list, size_t index);
void ob_strlist_sort(ob_strlist *list); /**< bytewise */

/** KEY=VALUE lists: replace in place or append, keeping order. */
int ob_env_set(ob_strlist *env, const char *key, const char *value);
const char *ob_env_get(const ob_strlist *env, const char *key); /**< borrowed, NULL if absent */
void ob_env_unset(ob_strlist *env, const char *key);

#endif
