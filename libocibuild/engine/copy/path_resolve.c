/* engine/copy/path_resolve.c — see path_resolve.h. Component by component; what is still to be walked is
 * kept as text, to which a link's target is put in front.
 */
#include "engine/copy/path_resolve.h"
#include <string.h>
#include "base/buffer.h"
#include "base/limits.h"
#include "base/strings.h"

typedef struct path_walk {
	ob_buffer reached;
	size_t root_len; /* the part of reached that ".." may not take away */
	char *rest;      /* owned */
	const char *at;  /* in rest */
	bool lost;       /* reached does not exist */
	unsigned links;
} path_walk;

static void path_walk_done(path_walk *w)
{
	ob_buffer_done(&w->reached);
	free(w->rest);
}

static void go_up(path_walk *w)
{
	size_t len = w->reached.len;

	while (len > w->root_len && w->reached.data[len - 1] != '/')
		len--;
	if (len > w->root_len)
		len--;
	w->reached.len = len;
	w->reached.data[len] = '\0';
}

/* reached is a link: take its last component away and walk its target instead. */
static ocib_errc follow(path_walk *w, const char *link, ocib_error **err)
{
	if (++w->links > OB_LIMIT_SYMLINKS)
		return ob_fail(err, OCIB_ERR_LIMIT, "more than %d symbolic links on the way",
			       OB_LIMIT_SYMLINKS);
	char *rest = ob_str_printf("%s/%s", link, w->at);
	if (!rest)
		return ob_fail_nomem(err);
	bool is_absolute = rest[0] == '/';
	free(w->rest);
	w->rest = rest;
	w->at = rest;
	go_up(w);
	if (is_absolute) {
		w->reached.len = w->root_len;
		w->reached.data[w->root_len] = '\0';
	}
	return OCIB_OK;
}

static ocib_errc enter(path_walk *w, ob_path_lookup lookup, void *arg, ocib_error **err)
{
	ob_path_kind kind = OB_PATH_NOTHING;
	const char *link = NULL;

	if (w->lost)
		return OCIB_OK;
	ocib_errc r = lookup(arg, w->reached.data, &kind, &link, err);
	if (r)
		return r;
	if (kind == OB_PATH_LINK)
		return follow(w, link, err);
	w->lost = kind == OB_PATH_NOTHING;
	if (kind == OB_PATH_OTHER && w->at[strspn(w->at, "/")])
		return ob_fail(err, OCIB_ERR_SYNTAX, "'/%s' is not a directory", w->reached.data);
	return OCIB_OK;
}

static ocib_errc step(path_walk *w, ob_path_lookup lookup, void *arg, ocib_error **err)
{
	w->at += strspn(w->at, "/");
	const char *name = w->at;
	size_t len = strcspn(name, "/");

	w->at += len;
	if (len == 0 || (len == 1 && name[0] == '.'))
		return OCIB_OK;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		go_up(w);
		/* Whatever is above was walked through and exists. */
		w->lost = false;
		return OCIB_OK;
	}
	if (w->reached.len)
		ob_buffer_append_char(&w->reached, '/');
	ob_buffer_append(&w->reached, name, len);
	ocib_errc r = ob_buffer_check(&w->reached, err);
	return r ? r : enter(w, lookup, arg, err);
}

ocib_errc ob_path_resolve(ob_path_lookup lookup, void *arg, const char *root, const char *path,
			  char **resolved, ocib_error **err)
{
	__attribute__((cleanup(path_walk_done))) path_walk w = {
		.reached = OB_BUFFER_INIT(OB_LIMIT_TAR_NAME, "a path"),
		.root_len = strlen(root),
		.rest = strdup(path),
	};

	ob_buffer_append_str(&w.reached, root);
	if (!w.rest || ob_buffer_check(&w.reached, NULL))
		return ob_fail_nomem(err);
	for (w.at = w.rest; *w.at;) {
		ocib_errc r = step(&w, lookup, arg, err);

		if (r)
			return r;
	}
	return ob_buffer_finish(&w.reached, resolved, err);
}
