/* engine/copy/copy_source.c — what both kinds of source share: following links inside their root. */
#include "engine/copy/copy_source.h"
#include "engine/copy/path_resolve.h"

ob_copy_source_reader *ob_copy_source_reader_free(ob_copy_source_reader *source)
{
	if (source)
		source->ops->destroy(source);
	return NULL;
}

typedef struct source_lookup {
	ob_copy_source_reader *source;
	ob_copy_file last; /* keeps the link that was handed out */
} source_lookup;

static ocib_errc look(void *arg, const char *path, ob_path_kind *kind, const char **link,
		      ocib_error **err)
{
	source_lookup *s = arg;

	ob_copy_file_done(&s->last);
	ocib_errc r = s->source->ops->lookup(s->source, path, &s->last, err);
	if (r)
		return r;
	*link = s->last.link;
	if (!s->last.type)
		*kind = OB_PATH_NOTHING;
	else if (s->last.type == OB_ENTRY_DIR)
		*kind = OB_PATH_DIR;
	else
		*kind = s->last.type == OB_ENTRY_SYMLINK ? OB_PATH_LINK : OB_PATH_OTHER;
	return OCIB_OK;
}

ocib_errc ob_copy_source_resolve(ob_copy_source_reader *source, const char *path, char **resolved,
				 ob_copy_file *out, ocib_error **err)
{
	source_lookup s = {.source = source};
	ob_autofree char *reached = NULL;
	ocib_errc r = ob_path_resolve(look, &s, "", path, &reached, err);

	ob_copy_file_done(&s.last);
	if (!r)
		r = source->ops->lookup(source, reached, out, err);
	if (!r)
		*resolved = ob_take_ptr(reached);
	return r;
}
