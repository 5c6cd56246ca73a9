/* base/arena.h — many small pieces of memory that are freed together.
 *
 * For a hundred thousand paths, malloc costs more time and room than the paths. One arena, one thread.
 */
#ifndef OB_BASE_ARENA_H
#define OB_BASE_ARENA_H

#include <stddef.h>

typedef struct ob_arena_chunk ob_arena_chunk;
typedef struct ob_arena {
	ob_arena_chunk *chunks; /**< the newest first */
} ob_arena;

void ob_arena_done(ob_arena *arena);
void *ob_arena_alloc(ob_arena *arena, size_t size); /**< zeroed; NULL: no memory */
char *ob_arena_text(ob_arena *arena, const char *text,
		    size_t len);                     /**< a C string; NULL: no memory */
void ob_arena_take(ob_arena *arena, ob_arena *from); /**< all that is in from is this one's now */

#endif
