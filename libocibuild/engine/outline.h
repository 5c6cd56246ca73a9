/* engine/outline.h — what a stage takes from outside, as planning finds it. */
#ifndef OB_ENGINE_OUTLINE_H
#define OB_ENGINE_OUTLINE_H

#include <ocibuild/check.h>
#include "base/arena.h"
#include "base/map.h"
#include "dockerfile/instruction.h"

#define OB_OUTLINE_KINDS (OCIB_OUTLINE_SSH + 1)

typedef struct ob_outline_list {
	ocib_outline_item *items;
	size_t len;
	ob_map *names; /**< those that are in it */
} ob_outline_list;

/** Strings are in its memory. */
struct ocib_outline {
	ob_arena memory;
	ob_outline_list lists[OB_OUTLINE_KINDS]; /**< by kind */
	const char *name, *description;
	ob_source_text text;
};
OB_DEFINE_AUTO(ocib_outline);

/** NULL: no memory. */
ocib_outline *ob_outline_new(void);
/** What it is of, copied. Kinds: NOMEM. */
ocib_errc ob_outline_name(ocib_outline *outline, const char *name, const char *description,
			  ocib_error **err);
/** Add one, copied, unless there is one of its name. Kinds: NOMEM. */
ocib_errc ob_outline_add(ocib_outline *outline, ocib_outline_kind kind,
			 const ocib_outline_item *item, ocib_error **err);
/** By line, then by name. */
void ob_outline_sort(ocib_outline *outline);
/** What the comment above @p i says of @p name: a line that begins with it. Borrowed, or "". */
const char *ob_doc_comment(const ob_instruction *i, const char *name);

#endif
