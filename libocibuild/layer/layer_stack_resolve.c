/* layer/layer_stack_resolve.c — an image path to what it leads to, symlinks followed inside the root.
 *
 * As the kernel would walk it with the image's root as "/": component by component, the rest of the way
 * kept in front of us, a symlink's target put before that rest. What does not exist is walked as if it
 * were a directory, so that a COPY can ask where its destination will be.
 */
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "layer/layer_stack.h"
#include "layer/member_name.h"

typedef struct walk {
	const ob_layer_stack *stack;
	char *rest;        /* owned: what is still to be walked */
	const char *at;    /* in rest */
	ob_buffer reached; /* entry path */
	ob_found found;    /* what is at reached */
	int links;
} walk;

static void walk_done(walk *w)
{
	free(w->rest);
	ob_buffer_done(&w->reached);
}

static const char *reached(const walk *w)
{
	return w->reached.data ? w->reached.data : "";
}

static void go_up(walk *w)
{
	w->reached.len = ob_path_parent_len(reached(w));
	if (w->reached.data)
		w->reached.data[w->reached.len] = '\0';
}

/* Whether anything but slashes is left. */
static bool has_more(const walk *w)
{
	return w->at[strspn(w->at, "/")] != '\0';
}

static ocib_errc follow(walk *w, const char *target, ocib_error **err)
{
	char shown[OB_MEMBER_SHOWN];
	char *rest;

	if (++w->links > OB_LIMIT_SYMLINKS)
		return ob_fail(err, OCIB_ERR_LIMIT, "'/%s': more than %d symbolic links in a path",
			       ob_member_show(reached(w), shown), OB_LIMIT_SYMLINKS);
	rest = ob_str_printf("%s/%s", target, w->at);
	if (!rest)
		return ob_fail_nomem(err);
	free(w->rest);
	w->rest = rest;
	w->at = rest;
	go_up(w);
	if (target[0] == '/')
		ob_buffer_clear(&w->reached);
	return OCIB_OK;
}

/* One component that is a name, now appended to reached. */
static ocib_errc enter(walk *w, bool follow_last, ocib_error **err)
{
	char shown[OB_MEMBER_SHOWN];
	const ob_entry *entry;

	w->found = ob_layer_stack_lookup(w->stack, reached(w));
	entry = w->found.entry;
	if (!entry || entry->type == OB_ENTRY_DIR)
		return OCIB_OK;
	if (entry->type == OB_ENTRY_SYMLINK && (follow_last || *w->at))
		return follow(w, entry->link, err);
	if (has_more(w))
		return ob_fail(err, OCIB_ERR_INVALID, "'/%s' is not a directory",
			       ob_member_show(reached(w), shown));
	return OCIB_OK;
}

static ocib_errc step(walk *w, bool follow_last, ocib_error **err)
{
	w->at += strspn(w->at, "/");
	const char *name = w->at;
	size_t len = strcspn(name, "/");

	w->at += len;
	if (len == 0 || (len == 1 && name[0] == '.'))
		return OCIB_OK;
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		go_up(w);
		return OCIB_OK;
	}
	if (w->reached.len)
		ob_buffer_append_char(&w->reached, '/');
	ob_buffer_append(&w->reached, name, len);
	ocib_errc r = ob_buffer_check(&w->reached, err);
	return r ? r : enter(w, follow_last, err);
}

ocib_errc ob_layer_stack_resolve(const ob_layer_stack *stack, const char *path, bool follow_last,
				 char **resolved, ob_found *found, ocib_error **err)
{
	ob_autodone(walk) w = {.stack = stack,
			       .rest = strdup(path),
			       .reached = OB_BUFFER_INIT(OB_LIMIT_TAR_NAME, "a path")};

	if (!w.rest)
		return ob_fail_nomem(err);
	for (w.at = w.rest; *w.at;) {
		ocib_errc r = step(&w, follow_last, err);

		if (r)
			return r;
	}
	*found = ob_layer_stack_lookup(stack, reached(&w));
	return ob_buffer_finish(&w.reached, resolved, err);
}
