/* base/arena.c — see arena.h. Chunks grow with the arena, so small ones stay small. */
#include "base/arena.h"
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK 2048
#define LAST_CHUNK  (256 * 1024)

struct ob_arena_chunk {
	ob_arena_chunk *next;
	size_t used, size;
	alignas(max_align_t) unsigned char data[];
};

void ob_arena_done(ob_arena *arena)
{
	while (arena->chunks) {
		ob_arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
}

/* A new newest chunk with room for size. */
static ob_arena_chunk *add_chunk(ob_arena *arena, size_t size)
{
	size_t room = arena->chunks ? arena->chunks->size * 2 : FIRST_CHUNK;
	size_t whole;

	if (room > LAST_CHUNK)
		room = LAST_CHUNK;
	if (room < size)
		room = size;
	if (__builtin_add_overflow(room, sizeof(ob_arena_chunk), &whole))
		return NULL;
	ob_arena_chunk *chunk = malloc(whole);
	if (!chunk)
		return NULL;
	*chunk = (ob_arena_chunk){.next = arena->chunks, .size = room};
	arena->chunks = chunk;
	return chunk;
}

static void *take_room(ob_arena *arena, size_t size, size_t alignment)
{
	ob_arena_chunk *chunk = arena->chunks;
	size_t at = chunk ? (chunk->used + alignment - 1) & ~(alignment - 1) : 0;

	if (!chunk || at > chunk->size || size > chunk->size - at) {
		chunk = add_chunk(arena, size);
		at = 0;
	}
	if (!chunk)
		return NULL;
	chunk->used = at + size;
	return chunk->data + at;
}

void *ob_arena_alloc(ob_arena *arena, size_t size)
{
	void *room = take_room(arena, size, alignof(max_align_t));

	return room ? memset(room, 0, size) : NULL;
}

char *ob_arena_text(ob_arena *arena, const char *text, size_t len)
{
	char *room = len < SIZE_MAX ? take_room(arena, len + 1, 1) : NULL;

	if (!room)
		return NULL;
	memcpy(room, text, len);
	room[len] = '\0';
	return room;
}

void ob_arena_take(ob_arena *arena, ob_arena *from)
{
	ob_arena_chunk **last = &from->chunks;

	/* Behind our newest one, which still has room. */
	while (*last)
		last = &(*last)->next;
	if (!arena->chunks) {
		arena->chunks = from->chunks;
	} else if (from->chunks) {
		*last = arena->chunks->next;
		arena->chunks->next = from->chunks;
	}
	from->chunks = NULL;
}
