/* engine/build/build_input.c — what a build reads: its context, wherever that is, and its Dockerfile.
 *
 * The Dockerfile is, in this order: a text that was given; a file at a path or URL that was given; what came
 * instead of a context; a file of the context. Of a context that is not local the path begins in the
 * context, unless it is absolute, as docker has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "engine/build/build.h"
#include "engine/source/git_address.h"
#include "registry/http_url.h"

void ob_build_input_done(ob_build_input *input)
{
	free(input->dir);
	free(input->dockerfile);
	ob_remote_context_done(&input->remote);
	*input = (ob_build_input){0};
}

/* --- the context --- */

static ocib_errc open_local(ob_build *build, const char *given, ocib_error **err)
{
	ob_autofree char *path = realpath(given, NULL);
	struct stat st;

	if (!path && (errno == ENOENT || errno == ENOTDIR))
		return ob_fail(err, OCIB_ERR_NOTFOUND, "the context '%s' does not exist", given);
	if (!path || stat(path, &st) < 0)
		return ob_fail_errno(err, "open the context '%s'", given);
	if (!S_ISDIR(st.st_mode))
		return ob_fail(err, OCIB_ERR_INVALID, "the context '%s' is not a directory", given);
	build->input.dir = ob_take_ptr(path);
	return OCIB_OK;
}

/* The build argument that says so. */
static bool keeps_git_dir(const ob_build *build)
{
	static const char name[] = "BUILDKIT_CONTEXT_KEEP_GIT_DIR=";
	bool keeps = false;

	for (const char *const *arg = build->options.build_args; arg && *arg; arg++) {
		if (ob_str_starts(*arg, name) && !ob_parse_bool(*arg + strlen(name), &keeps))
			keeps = false;
	}
	return keeps;
}

static ocib_errc fetch(ob_build *build, const char *given, uint32_t step, ocib_error **err)
{
	ob_remote_context_options options = {
		.is_main = true,
		.keep_git_dir = keeps_git_dir(build),
		.commit_time = build->epoch_asked,
		.wants_time = build->epoch_asked,
		.secrets = &build->secrets,
		.step = step,
	};
	ob_remote_context *remote = &build->input.remote;
	ocib_errc r = OCIB_OK;

	if (ob_is_ssh_address(given))
		r = ob_ssh_sockets_agent(&build->ssh, build->ctx, "default", &options.ssh_agent,
					 err);
	if (!r && ob_str_eq(given, "-"))
		r = ob_remote_context_read(build->ctx, build->store, build->options.context_fd,
					   &options, remote, err);
	else if (!r)
		r = ob_remote_context_fetch(build->ctx, build->store, given, &options, remote, err);
	if (r || !remote->dir)
		return r;
	build->input.dir = strdup(remote->dir);
	return build->input.dir ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc open_remote(ob_build *build, const char *given, ocib_error **err)
{
	bool is_stdin = ob_str_eq(given, "-");
	ob_autofree char *shown = is_stdin ? strdup("standard input") : ob_url_show(given);
	ob_autofree char *text = shown ? ob_str_printf("loading context %s", shown) : NULL;
	ob_step_span span = {.text = text};

	if (!text)
		return ob_fail_nomem(err);
	if (is_stdin && build->options.dockerfile && ob_str_eq(build->options.dockerfile, "-"))
		return ob_fail(err, OCIB_ERR_INVALID,
			       "standard input cannot be both the context and the Dockerfile");
	build->input.is_remote = true;
	ob_span_start(build->ctx, &span);
	ocib_errc r = ob_span_end(build->ctx, &span, fetch(build, given, span.id, err));
	return r ? ob_wrap(err, r, "load the context") : OCIB_OK;
}

static ocib_errc open_context(ob_build *build, ocib_error **err)
{
	const char *given = build->options.context;

	if (!given)
		given = build->options.context_dir ? build->options.context_dir : ".";
	/* "github.com/user/repo" may be a directory, too, and then it is. */
	bool is_remote =
		build->options.context &&
		(ob_str_eq(given, "-") || (ob_is_remote_context(given) && access(given, F_OK) < 0));
	if (is_remote)
		return open_remote(build, given, err);
	return open_local(build, given, err);
}

/* --- the Dockerfile --- */

/* A check shows lines of a file that cannot be parsed, too. */
static ocib_errc parse_text(ob_build *build, const char *name, const char *text, size_t len,
			    ocib_error **err)
{
	ocib_errc r = OCIB_OK;

	if (build->checking)
		r = ob_source_text_init(&build->text, name, text, len, err);
	return r ? r
		 : ob_dockerfile_parse_checked(name, text, len, &build->findings,
					       &build->dockerfile, err);
}

static ocib_errc parse(ob_build *build, const char *name, const ob_buffer *text, ocib_error **err)
{
	return parse_text(build, name, text->data ? text->data : "", text->len, err);
}

static const char *default_name(const ob_build *build)
{
	return build->options.dockerfile ? build->options.dockerfile : "Dockerfile";
}

static ocib_errc fetch_dockerfile(ob_build *build, const char *url, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "Dockerfile");
	ob_autofree char *shown = ob_url_show(url);
	ob_auto(ob_reader) from = NULL;
	ob_remote_file file;
	ob_autofd int fd = -1;
	const ob_remote_request request = {.url = url, .secrets = &build->secrets};
	ocib_errc r = shown ? ob_remote_file_fetch(build->ctx, build->store, &request, &file, err)
			    : ob_fail_nomem(err);

	if (!r)
		r = ob_store_open_blob(build->store, &file.digest, file.size, &fd, err);
	if (!r)
		r = ob_reader_open_fd(fd, &from, err);
	if (!r)
		r = ob_reader_read_all(from, &text, err);
	if (r)
		return ob_wrap(err, r, "read the Dockerfile");
	return parse(build, shown, &text, err);
}

/* As docker does: the given file, else Dockerfile in the context, else dockerfile. */
static ocib_errc find_path(const ob_build *build, char **out, ocib_error **err)
{
	const char *given = build->options.dockerfile, *dir = build->input.dir;
	ob_autofree char *path = NULL, *lower = NULL;

	if (given) {
		path = strdup(given);
	} else {
		path = ob_str_printf("%s/Dockerfile", dir);
		lower = ob_str_printf("%s/dockerfile", dir);
		if (path && lower && access(path, F_OK) < 0 && access(lower, F_OK) == 0) {
			free(path);
			path = ob_take_ptr(lower);
		}
	}
	if (!path)
		return ob_fail_nomem(err);
	*out = ob_take_ptr(path);
	return OCIB_OK;
}

/* How errors call it: as it was given, or by its name alone where it was found in the context. */
static const char *shown_name(const ob_build *build, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (build->options.dockerfile)
		return build->options.dockerfile;
	return slash ? slash + 1 : path;
}

static void hint_where(const ob_build *build, ocib_error **err)
{
	if (!build->options.dockerfile)
		ob_error_set_hint(err, "name it with -f, or give the directory it is in");
	else if (build->input.is_remote)
		ob_error_set_hint(err, "the path of -f begins in the context");
	else
		ob_error_set_hint(err, "the path of -f begins at the working directory, not at the "
				       "context");
}

static ocib_errc read_file(const ob_build *build, const char *path, ob_buffer *text,
			   ocib_error **err)
{
	ob_auto(ocib_error) why = NULL;
	ocib_errc r = ob_read_file(AT_FDCWD, path, text, &why);

	if (r == OCIB_OK)
		return OCIB_OK;
	if (r == OCIB_ERR_LIMIT) /* whatever that file is, it is not a Dockerfile */
		return ob_fail(err, OCIB_ERR_SYNTAX, "the Dockerfile '%s' has more than %ju bytes",
			       path, (uintmax_t)OB_LIMIT_DOCKERFILE);
	if (r == OCIB_ERR_NOTFOUND)
		hint_where(build, &why);
	(void)ob_error_move(err, &why);
	return ob_wrap(err, r, "read the Dockerfile");
}

static ocib_errc load_from_dir(ob_build *build, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "Dockerfile");
	ocib_errc r = find_path(build, &build->input.dockerfile, err);

	if (!r)
		r = read_file(build, build->input.dockerfile, &text, err);
	return r ? r : parse(build, shown_name(build, build->input.dockerfile), &text, err);
}

static ocib_errc fail_absent(const ob_build *build, ocib_error **err)
{
	ocib_errc r =
		ob_fail(err, OCIB_ERR_NOTFOUND, "read the Dockerfile: there is no '%s' in the %s",
			default_name(build), build->input.remote.tree ? "archive" : "repository");

	hint_where(build, err);
	return r;
}

/* A file of a context that came from elsewhere: links do not lead out of it. */
static ocib_errc read_inside(const ob_build *build, const char *name, ob_buffer *text,
			     ocib_error **err)
{
	ob_tree *tree = build->input.remote.tree;
	ob_auto(ob_reader) from = NULL;
	ob_autofd int root = -1, fd = -1;
	struct stat st;

	if (tree)
		return ob_tree_read_file(tree, name, text, err);
	root = open(build->input.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root >= 0)
		fd = ob_fs_resolve(root, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0);
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return ob_fail(err, OCIB_ERR_NOTFOUND, "it is not there");
	if (fd < 0 || fstat(fd, &st) < 0)
		return ob_fail_errno(err, "open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return ob_fail(err, OCIB_ERR_INVALID, "'%s' is not a regular file", name);
	ocib_errc r = ob_reader_open_fd(fd, &from, err);
	return r ? r : ob_reader_read_all(from, text, err);
}

static ocib_errc load_from_inside(ob_build *build, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "Dockerfile");
	ob_auto(ocib_error) why = NULL;
	const char *name = default_name(build);
	ocib_errc r = read_inside(build, name, &text, &why);

	if (r == OCIB_ERR_NOTFOUND && !build->options.dockerfile) {
		name = "dockerfile";
		why = ocib_error_free(why);
		r = read_inside(build, name, &text, &why);
	}
	if (r == OCIB_ERR_NOTFOUND)
		return fail_absent(build, err);
	if (r) {
		(void)ob_error_move(err, &why);
		return ob_wrap(err, r, "read the Dockerfile");
	}
	return parse(build, name, &text, err);
}

/* What came instead of a context is the Dockerfile: then no other can be named. */
static ocib_errc load_instead(ob_build *build, ocib_error **err)
{
	const ob_remote_context *remote = &build->input.remote;

	if (build->options.dockerfile)
		return ob_fail(err, OCIB_ERR_INVALID,
			       "-f names '%s', but the context is no archive: it is a Dockerfile "
			       "itself",
			       build->options.dockerfile);
	return parse_text(build, "Dockerfile", remote->text, remote->text_len, err);
}

static ocib_errc load_dockerfile(ob_build *build, ocib_error **err)
{
	const char *text = build->options.dockerfile_text, *given = build->options.dockerfile;

	if (text)
		return parse_text(build, "Dockerfile", text, strlen(text), err);
	if (given && ob_is_file_url(given))
		return fetch_dockerfile(build, given, err);
	bool is_stdin = build->options.context && ob_str_eq(build->options.context, "-");
	if (given && *given == '/' && build->input.is_remote && !is_stdin)
		return load_from_dir(build, err);
	if (build->input.remote.text)
		return load_instead(build, err);
	return build->input.is_remote ? load_from_inside(build, err) : load_from_dir(build, err);
}

ocib_errc ob_build_open_input(ob_build *build, ocib_error **err)
{
	ob_step_span span = {.text = "loading Dockerfile"};
	ocib_errc r = open_context(build, err);

	if (r)
		return r;
	ob_span_start(build->ctx, &span);
	return ob_span_end(build->ctx, &span, load_dockerfile(build, err));
}
