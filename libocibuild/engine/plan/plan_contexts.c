/* engine/plan/plan_contexts.c — nodes of what is outside: scratch, images, and contexts with their ignore
 * files.
 *
 * The build context obeys <Dockerfile>.dockerignore where there is one, and only else its own
 * .dockerignore; a named directory obeys its own; what is not a local directory obeys none. A node is made when something uses it, so a build
 * that copies nothing from its context does not look at it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/strings.h"
#include "engine/plan/planner.h"

#define IGNORE_FILE ".dockerignore"

ocib_errc ob_planner_main_context(ob_planner *p, const ob_location *at, size_t *index,
				  ocib_error **err)
{
	ob_tree *tree = p->options->context_tree;

	if (!p->options->context_dir && !tree)
		return ob_fail_at(err, p->dockerfile, at, OCIB_ERR_NOTFOUND,
				  "there is no build context to copy from");
	if (p->main_context == OB_NO_INDEX) {
		ob_plan_source *grown =
			reallocarray(p->sources, p->source_count + 1, sizeof(*p->sources));

		if (!grown)
			return ob_fail_nomem(err);
		p->sources = grown;
		/* The key is no image's: nothing else finds it. */
		p->sources[p->source_count] = (ob_plan_source){
			.kind = tree ? OB_NODE_TREE : OB_NODE_CONTEXT,
			.name = strdup("context"),
			.key = strdup(""),
			.dir = tree ? NULL : strdup(p->options->context_dir),
			.is_remote = p->options->context_is_remote,
			.at = at,
			.node = OB_NO_INDEX,
		};
		p->main_context = p->source_count++;
	}
	*index = p->main_context;
	const ob_plan_source *source = &p->sources[*index];
	return source->name && source->key && (tree || source->dir) ? OCIB_OK : ob_fail_nomem(err);
}

/* The plan keeps what was fetched; for another platform, or for its time, it may have been before. */
ocib_errc ob_planner_fetch_context(ob_planner *p, const char *address, bool wants_time,
				   const ob_remote_context **out, ocib_error **err)
{
	const ob_remote_context_options options = {
		.secrets = p->options->secrets,
		.wants_time = wants_time,
	};
	ob_plan *plan = p->plan;

	for (size_t i = 0; i < plan->remote_addresses.len; i++) {
		if (!ob_str_eq(plan->remote_addresses.items[i], address))
			continue;
		*out = &plan->remotes[i];
		return OCIB_OK;
	}
	ob_remote_context *grown =
		reallocarray(plan->remotes, plan->remote_count + 1, sizeof(*grown));
	if (!grown)
		return ob_fail_nomem(err);
	plan->remotes = grown;
	ob_remote_context *remote = &grown[plan->remote_count];
	*remote = (ob_remote_context){0};
	ocib_errc r = ob_remote_context_fetch(p->ctx, ob_image_sources_store(p->images), address,
					      &options, remote, err);
	if (r)
		return r;
	plan->remote_count++;
	if (ob_strlist_add(&plan->remote_addresses, address) < 0)
		return ob_fail_nomem(err);
	*out = remote;
	return OCIB_OK;
}

static ocib_errc fetch_context(ob_planner *p, ob_plan_source *source, ocib_error **err)
{
	const ob_remote_context *remote = NULL;
	ocib_errc r = ob_planner_fetch_context(p, source->context, false, &remote, err);

	source->is_remote = true;
	if (r) {
		r = ob_wrap(err, r, "build context '%s'", source->key);
		return ob_source_locate(&p->dockerfile->source, source->at, r, err);
	}
	source->dir = strdup(remote->dir);
	return source->dir ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_planner_open_dir(ob_planner *p, ob_plan_source *source, ocib_error **err)
{
	struct stat st;
	ocib_errc r;

	if (ob_is_remote_context(source->context))
		return fetch_context(p, source, err);
	source->dir = realpath(source->context, NULL);
	if (source->dir && stat(source->dir, &st) == 0 && S_ISDIR(st.st_mode))
		return OCIB_OK;
	if (!source->dir && errno != ENOENT)
		r = ob_fail_errno(err, "build context '%s': open '%s'", source->key,
				  source->context);
	else if (!source->dir)
		r = ob_fail(err, OCIB_ERR_NOTFOUND,
			    "build context '%s': there is no directory '%s'", source->key,
			    source->context);
	else
		r = ob_fail(err, OCIB_ERR_INVALID, "build context '%s': '%s' is not a directory",
			    source->key, source->context);
	return ob_source_locate(&p->dockerfile->source, source->at, r, err);
}

/* Which line is wrong is found by trying each pattern alone. */
static ocib_errc fail_pattern(const ob_buffer *text, const char *shown, const ob_node *node,
			      ocib_errc r, ocib_error **err)
{
	ob_autodone(ob_source_text) source = {0};

	for (size_t i = 0; i < node->ignore_patterns.len; i++) {
		char *one[] = {node->ignore_patterns.items[i], NULL};
		const ob_strlist alone = {.items = one, .len = 1};
		ob_auto(ob_ignore) ignore = NULL;
		const ob_location at = {
			.line = node->ignore_lines[i],
			.end_line = node->ignore_lines[i],
			.column = 1,
		};

		if (ob_ignore_new(&alone, &ignore, NULL) == r &&
		    !ob_source_text_init(&source, shown, text->data, text->len, NULL))
			return ob_source_locate(&source, &at, r, err);
	}
	return ob_wrap(err, r, "%s", shown);
}

/* Read @path if it exists; *found says so. */
static ocib_errc read_patterns(const char *path, const char *shown, ob_node *node, bool *found,
			       ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_IGNORE_FILE, "ignore file");
	ob_auto(ocib_error) inner = NULL;
	ocib_errc r = ob_read_file(AT_FDCWD, path, &text, &inner);

	*found = r != OCIB_ERR_NOTFOUND;
	if (!*found)
		return OCIB_OK;
	if (r)
		return ob_error_move(err, &inner);
	r = ob_ignore_read(text.data ? text.data : "", text.len, &node->ignore_patterns,
			   &node->ignore_lines, err);
	if (r)
		return ob_wrap(err, r, "%s", shown);
	if (node->ignore_patterns.len)
		r = ob_ignore_new(&node->ignore_patterns, &node->ignore, err);
	if (r)
		return fail_pattern(&text, shown, node, r, err);
	node->ignore_file = strdup(shown);
	return node->ignore_file ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc read_ignore(const ob_planner *p, bool is_main, ob_node *node, ocib_error **err)
{
	const char *dockerfile = is_main ? p->options->dockerfile_path : NULL;
	bool found = false;

	if (dockerfile) {
		ob_autofree char *path = ob_str_printf("%s" IGNORE_FILE, dockerfile);
		ob_autofree char *shown =
			ob_str_printf("%s" IGNORE_FILE, p->dockerfile->source.name);

		if (!path || !shown)
			return ob_fail_nomem(err);
		ocib_errc r = read_patterns(path, shown, node, &found, err);
		if (r || found)
			return r;
	}
	ob_autofree char *path = ob_str_printf("%s/" IGNORE_FILE, node->dir);
	if (!path)
		return ob_fail_nomem(err);
	return read_patterns(path, is_main ? IGNORE_FILE : path, node, &found, err);
}

static ocib_errc fill_dir(const ob_planner *p, size_t index, ob_node *node, ocib_error **err)
{
	const ob_plan_source *source = &p->sources[index];

	node->dir = strdup(source->dir);
	node->is_temporary = source->is_remote;
	if (!node->dir)
		return ob_fail_nomem(err);
	return source->is_remote ? OCIB_OK : read_ignore(p, index == p->main_context, node, err);
}

ocib_errc ob_planner_source_node(ob_planner *p, size_t index, size_t *out, ocib_error **err)
{
	ob_plan_source *source = &p->sources[index];
	ob_node *node = NULL;
	ocib_errc r;

	*out = source->node;
	if (*out != OB_NO_INDEX)
		return OCIB_OK;
	r = ob_plan_add_node(p->plan, &node, out, err);
	if (r)
		return r;
	node->kind = source->kind;
	node->platform = source->platform;
	node->image = source->image;
	node->name = strdup(source->name);
	if (!node->name)
		return ob_fail_nomem(err);
	if (source->kind == OB_NODE_TREE)
		node->tree = ob_tree_ref(p->options->context_tree);
	r = source->kind == OB_NODE_CONTEXT ? fill_dir(p, index, node, err) : OCIB_OK;
	if (!r)
		ob_planner_share_node(p, out);
	source->node = *out;
	return r;
}
