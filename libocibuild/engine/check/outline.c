/* engine/check/outline.c — see engine/outline.h: a list that is filled in, and its public face. */
#include "engine/outline.h"
#include <stdlib.h>
#include <string.h>

const char *ob_doc_comment(const ob_instruction *i, const char *name)
{
	size_t len = strlen(name);

	for (char *const *line = i->comments; len && line && *line; line++)
		if (strncmp(*line, name, len) == 0 && (*line)[len] == ' ')
			return *line + len + 1;
	return "";
}

static const char *keep(ocib_outline *outline, const char *text)
{
	return ob_arena_text(&outline->memory, text, strlen(text));
}

ocib_outline *ob_outline_new(void)
{
	ob_auto(ocib_outline) outline = calloc(1, sizeof(*outline));

	for (size_t kind = 0; outline && kind < OB_OUTLINE_KINDS; kind++) {
		outline->lists[kind].names = ob_map_new(NULL);
		if (!outline->lists[kind].names)
			return NULL;
	}
	return ob_take_ptr(outline);
}

ocib_errc ob_outline_name(ocib_outline *outline, const char *name, const char *description,
			  ocib_error **err)
{
	outline->name = keep(outline, name);
	outline->description = keep(outline, description);
	return outline->name && outline->description ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_outline_item *new_item(ob_outline_list *list)
{
	size_t count = list->len;

	if ((count & (count - 1)) == 0) {
		ocib_outline_item *grown =
			reallocarray(list->items, count ? count * 2 : 1, sizeof(*grown));

		if (!grown)
			return NULL;
		list->items = grown;
	}
	return &list->items[list->len];
}

ocib_errc ob_outline_add(ocib_outline *outline, ocib_outline_kind kind,
			 const ocib_outline_item *item, ocib_error **err)
{
	ob_outline_list *list = &outline->lists[kind];
	ocib_outline_item *one;

	if (ob_map_get(list->names, item->name))
		return OCIB_OK;
	one = new_item(list);
	if (!one || ob_map_set(list->names, item->name, list) < 0)
		return ob_fail_nomem(err);
	*one = *item;
	one->name = keep(outline, item->name);
	one->value = keep(outline, item->value ? item->value : "");
	one->description = keep(outline, item->description ? item->description : "");
	if (!one->name || !one->value || !one->description)
		return ob_fail_nomem(err);
	list->len++;
	return OCIB_OK;
}

static int by_line_and_name(const void *a, const void *b)
{
	const ocib_outline_item *one = a, *other = b;

	if (one->line != other->line)
		return one->line < other->line ? -1 : 1;
	return strcmp(one->name, other->name);
}

void ob_outline_sort(ocib_outline *outline)
{
	for (size_t kind = 0; kind < OB_OUTLINE_KINDS; kind++) {
		ob_outline_list *list = &outline->lists[kind];

		if (list->len)
			qsort(list->items, list->len, sizeof(*list->items), by_line_and_name);
	}
}

ocib_outline *ocib_outline_free(ocib_outline *outline)
{
	if (!outline)
		return NULL;
	for (size_t kind = 0; kind < OB_OUTLINE_KINDS; kind++) {
		free(outline->lists[kind].items);
		outline->lists[kind].names = ob_map_free(outline->lists[kind].names);
	}
	ob_arena_done(&outline->memory);
	ob_source_text_done(&outline->text);
	free(outline);
	return NULL;
}

const char *ocib_outline_name(const ocib_outline *outline)
{
	return outline && outline->name ? outline->name : "";
}

const char *ocib_outline_description(const ocib_outline *outline)
{
	return outline && outline->description ? outline->description : "";
}

static const ob_outline_list *list_of(const ocib_outline *outline, ocib_outline_kind kind)
{
	return outline && kind >= OCIB_OUTLINE_ARG && kind <= OCIB_OUTLINE_SSH
		       ? &outline->lists[kind]
		       : NULL;
}

size_t ocib_outline_count(const ocib_outline *outline, ocib_outline_kind kind)
{
	const ob_outline_list *list = list_of(outline, kind);

	return list ? list->len : 0;
}

const ocib_outline_item *ocib_outline_get(const ocib_outline *outline, ocib_outline_kind kind,
					  size_t index)
{
	const ob_outline_list *list = list_of(outline, kind);

	return list && index < list->len ? &list->items[index] : NULL;
}

const char *ocib_outline_text(const ocib_outline *outline, size_t *len)
{
	if (len)
		*len = outline ? outline->text.len : 0;
	return outline && outline->text.data ? outline->text.data : "";
}
