/* engine/source/git_checkout.c — see git_checkout.h.
 *
 * A commit is fetched without its history. Where a server does not do that, or not for what no reference
 * points to, all of it is. What was fetched must be what was resolved before: that is what keys are made of.
 */
#include "engine/source/git_checkout.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"

#define RUN(git, out, err, ...) \
	ob_git_run((git), (const char *const[]){__VA_ARGS__, NULL}, (out), (err))

void ob_git_commit_done(ob_git_commit *commit)
{
	free(commit->ref);
	*commit = (ob_git_commit){0};
}

/* --- which commit --- */

static ocib_errc set_id(char to[OB_COMMIT_ID_LEN + 1], const char *text, size_t len,
			ocib_error **err)
{
	if (len > OB_COMMIT_ID_LEN)
		return ob_fail(err, OCIB_ERR_PROTOCOL, "the repository tells of no commit id");
	memcpy(to, text, len);
	to[len] = '\0';
	return ob_is_commit_id(to)
		       ? OCIB_OK
		       : ob_fail(err, OCIB_ERR_PROTOCOL, "the repository tells of no commit id");
}

/* The id that a line "ID<tab>NAME" of @listing gives a name; NULL: there is none. */
static const char *find_line(const ob_buffer *listing, const char *name, size_t *len)
{
	const char *line = listing->data ? listing->data : "";

	while (*line) {
		size_t line_len = strcspn(line, "\n"), id_len = strcspn(line, "\t\n");

		if (line[id_len] == '\t' && line_len - id_len - 1 == strlen(name) &&
		    strncmp(line + id_len + 1, name, strlen(name)) == 0) {
			*len = id_len;
			return line;
		}
		line += line_len + (line[line_len] == '\n');
	}
	return NULL;
}

/* "ref: refs/heads/main<tab>HEAD" */
static ocib_errc read_default(const ob_git_command *git, ob_git_commit *out, ocib_error **err)
{
	static const char before[] = "ref: ";
	ob_autodone(ob_buffer) listing = OB_BUFFER_INIT(OB_LIMIT_GIT_OUTPUT, "answer of git");
	size_t len = 0;
	ocib_errc r = RUN(git, &listing, err, "ls-remote", "--symref", "--", git->address->remote,
			  "HEAD");

	if (r)
		return r;
	const char *id = find_line(&listing, "HEAD", &len);
	if (id && ob_str_starts(id, before)) { /* then the id is in the line after that */
		out->ref = strndup(id + strlen(before), len - strlen(before));
		if (!out->ref)
			return ob_fail_nomem(err);
		const char *next = strchr(id, '\n');
		id = next ? next + 1 : "";
		len = strcspn(id, "\t\n");
	} else {
		id = NULL;
	}
	if (!id)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "the repository has no default branch");
	r = set_id(out->id, id, len, err);
	memcpy(out->tree, out->id, sizeof(out->tree));
	return r;
}

/* A full name first, then a branch, then a tag; a tag may stand for an object that stands for a commit. */
static ocib_errc read_ref(const ob_git_command *git, ob_git_commit *out, ocib_error **err)
{
	static const char *const prefixes[] = {"", "refs/", "refs/heads/", "refs/tags/"};
	const char *ref = git->address->ref;
	ob_autodone(ob_buffer) listing = OB_BUFFER_INIT(OB_LIMIT_GIT_OUTPUT, "answer of git");
	ob_autofree char *peeled = ob_str_printf("%s^{}", ref);
	ocib_errc r = peeled ? RUN(git, &listing, err, "ls-remote", "--", git->address->remote, ref,
				   peeled)
			     : ob_fail_nomem(err);

	for (size_t i = 0; i < OB_ARRAY_LEN(prefixes) && !r && !out->ref; i++) {
		ob_autofree char *full = ob_str_printf("%s%s", prefixes[i], ref);
		ob_autofree char *tag = full ? ob_str_printf("%s^{}", full) : NULL;
		size_t len = 0, tree_len = 0;

		if (!tag)
			return ob_fail_nomem(err);
		if (!ob_str_starts(full, "refs/"))
			continue;
		const char *id = find_line(&listing, full, &len);
		const char *tree = find_line(&listing, tag, &tree_len);
		if (!id)
			continue;
		r = set_id(out->id, id, len, err);
		if (!r)
			r = set_id(out->tree, tree ? tree : id, tree ? tree_len : len, err);
		out->ref = ob_take_ptr(full);
	}
	if (!r && !out->ref)
		return ob_fail(err, OCIB_ERR_NOTFOUND,
			       "the repository has no branch and no tag '%s'", ref);
	return r;
}

static ocib_errc check_sum(const ob_git_command *git, const ob_git_commit *commit, ocib_error **err)
{
	const char *sum = git->address->checksum;

	if (!sum || ob_str_starts(commit->id, sum) || ob_str_starts(commit->tree, sum))
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_CORRUPT, "commit %s does not have the wanted checksum '%s'",
		       commit->tree, sum);
}

ocib_errc ob_git_resolve(const ob_git_command *git, ob_git_commit *out, ocib_error **err)
{
	const ob_git_address *a = git->address;
	const char *known = a->by_commit ? a->checksum : a->ref;
	ob_autodone(ob_git_commit) commit = {0};
	ocib_errc r;

	if (known && ob_is_commit_id(known)) {
		r = set_id(commit.id, known, strlen(known), err);
		memcpy(commit.tree, commit.id, sizeof(commit.tree));
		if (!r && a->by_commit && a->ref && !ob_is_commit_id(a->ref)) {
			commit.ref = ob_str_printf(
				"%s%s", ob_str_starts(a->ref, "refs/") ? "" : "refs/heads/",
				a->ref);
			if (!commit.ref)
				return ob_fail_nomem(err);
		}
	} else if (ob_context_offline(git->ctx)) {
		return ob_fail(err, OCIB_ERR_DENIED, "offline: no network may be used");
	} else {
		r = a->ref ? read_ref(git, &commit, err) : read_default(git, &commit, err);
	}
	if (!r)
		r = check_sum(git, &commit, err);
	if (r)
		return r;
	*out = commit;
	commit = (ob_git_commit){0};
	return OCIB_OK;
}

/* --- fetching --- */

static ocib_errc make_repository(const ob_git_command *git, const ob_git_commit *commit,
				 ocib_error **err)
{
	const char *format =
		strlen(commit->id) == 64 ? "--object-format=sha256" : "--object-format=sha1";
	ocib_errc r = RUN(git, NULL, err, "init", "--quiet", format);

	return r ? r : RUN(git, NULL, err, "remote", "add", "origin", git->address->remote);
}

/* Is the wanted object here? */
static bool has_commit(const ob_git_command *git, const ob_git_commit *commit)
{
	ob_autofree char *name = ob_str_printf("%s^{commit}", commit->id);

	return name && RUN(git, NULL, NULL, "cat-file", "-e", name) == OCIB_OK;
}

/* Without history; "what:ref" or "what" alone. false: it is not here, for a reason that *err tells. */
static bool fetch_one(const ob_git_command *git, const ob_git_commit *commit, const char *what,
		      ocib_error **err)
{
	ob_autofree char *spec =
		commit->ref ? ob_str_printf("+%s:%s", what, commit->ref) : strdup(what);

	if (!spec)
		return ob_fail_nomem(err) == OCIB_OK;
	return RUN(git, NULL, err, "fetch", "--quiet", "--update-head-ok", "--depth=1", "--no-tags",
		   "--", "origin", spec) == OCIB_OK &&
	       has_commit(git, commit);
}

static ocib_errc fetch_all(const ob_git_command *git, ocib_error **err)
{
	ob_autofree char *mark = ob_str_printf("%s/.git/shallow", git->dir);

	if (!mark)
		return ob_fail_nomem(err);
	const char *depth = access(mark, F_OK) == 0 ? "--unshallow" : "--no-recurse-submodules";
	return RUN(git, NULL, err, "fetch", "--quiet", "--update-head-ok", "--tags", "--force",
		   depth, "--", "origin", "+refs/heads/*:refs/heads/*");
}

/* The reference; where it has moved on, or there is none, the object; else everything. */
static ocib_errc fetch(const ob_git_command *git, const ob_git_commit *commit, ocib_error **err)
{
	bool by_ref = commit->ref && !git->address->by_commit;
	ob_auto(ocib_error) first = NULL;
	ob_auto(ocib_error) second = NULL;

	if ((by_ref && fetch_one(git, commit, commit->ref, &first)) ||
	    fetch_one(git, commit, commit->id, &second))
		return OCIB_OK;
	ocib_errc r = ob_check_canceled(git->ctx, err);
	if (!r)
		r = fetch_all(git, err);
	if (!r && !has_commit(git, commit))
		return ob_fail(err, OCIB_ERR_NOTFOUND, "the repository has no commit %s",
			       commit->id);
	return r;
}

/* --- files --- */

/* Without history where the servers can do that. */
static ocib_errc update_submodules(const ob_git_command *git, ocib_error **err)
{
	ocib_errc r = RUN(git, NULL, NULL, "submodule", "--quiet", "update", "--init",
			  "--recursive", "--depth=1");

	if (!r)
		return OCIB_OK;
	r = ob_check_canceled(git->ctx, err);
	if (!r)
		r = RUN(git, NULL, err, "submodule", "--quiet", "update", "--init", "--recursive");
	return ob_wrap(err, r, "submodules");
}

/* HEAD is the commit itself and no branch, as BuildKit leaves it. */
static ocib_errc check_out(const ob_git_command *git, const ob_git_commit *commit, ocib_error **err)
{
	ocib_errc r = RUN(git, NULL, err, "checkout", "--quiet", "--force", "--detach", commit->id);

	return r || git->address->submodules == 0 ? r : update_submodules(git, err);
}

typedef struct walk {
	bool drop_git;  /* remove what points to a repository that will be gone */
	bool set_times; /* to sec */
	int64_t sec;
} walk;

static ocib_errc walk_dir(const walk *w, int fd /* taken */, unsigned depth, ocib_error **err);

static ocib_errc walk_one(const walk *w, int dirfd, const char *name, unsigned depth,
			  ocib_error **err)
{
	const struct timespec times[2] = {{.tv_sec = w->sec}, {.tv_sec = w->sec}};
	ocib_errc r = OCIB_OK;
	struct stat st;

	if (w->drop_git && ob_str_eq(name, ".git"))
		return ob_remove_tree(dirfd, name, err);
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return ob_fail_errno(err, "stat '%s'", name);
	if (S_ISDIR(st.st_mode)) {
		int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0)
			return ob_fail_errno(err, "open '%s'", name);
		r = walk_dir(w, fd, depth + 1, err);
	}
	if (!r && w->set_times && utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return ob_fail_errno(err, "set the time of '%s'", name);
	return r;
}

static ocib_errc walk_dir(const walk *w, int fd, unsigned depth, ocib_error **err)
{
	ob_autofd int taken = fd;
	ob_autodir DIR *dir = NULL;
	ocib_errc r = OCIB_OK;

	if (depth > OB_LIMIT_TREE_DEPTH)
		return ob_fail(err, OCIB_ERR_LIMIT, "more than %d directories in one another",
			       OB_LIMIT_TREE_DEPTH);
	dir = fdopendir(taken);
	if (!dir)
		return ob_fail_errno(err, "read a directory of the repository");
	taken = -1;
	for (struct dirent *one = readdir(dir); one && !r; one = readdir(dir)) {
		if (!ob_str_eq(one->d_name, ".") && !ob_str_eq(one->d_name, ".."))
			r = walk_one(w, dirfd(dir), one->d_name, depth, err);
	}
	return r;
}

static ocib_errc commit_time(const ob_git_command *git, const ob_git_commit *commit, int64_t *out,
			     ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_GIT_OUTPUT, "answer of git");
	ob_autofree char *name = ob_str_printf("%s^{commit}", commit->id);
	ocib_errc r =
		name ? RUN(git, &text, err, "log", "-1", "--format=%ct", name) : ob_fail_nomem(err);

	if (r)
		return r;
	if (text.len)
		text.data[text.len - 1] = '\0';
	return text.len && ob_parse_i64(text.data, out)
		       ? OCIB_OK
		       : ob_fail(err, OCIB_ERR_PROTOCOL, "the commit has no time");
}

/* Make the checkout what it is to be: without repositories, with times. */
static ocib_errc finish(const ob_git_command *git, const ob_git_commit *commit, const char *dir,
			bool keep, int64_t *time, ocib_error **err)
{
	walk w = {.drop_git = !keep, .set_times = git->address->commit_time};
	ocib_errc r = OCIB_OK;

	if (keep) {
		ob_autofree char *head = ob_str_printf("%s/.git/FETCH_HEAD", dir);

		if (!head)
			return ob_fail_nomem(err);
		(void)unlink(head);
	}
	if (w.set_times || time)
		r = commit_time(git, commit, &w.sec, err);
	if (time)
		*time = w.sec;
	if (r || !(w.drop_git || w.set_times))
		return r;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? ob_fail_errno(err, "open '%s'", dir) : walk_dir(&w, fd, 0, err);
}

/* A part of the repository must be one: no link leads there. */
static ocib_errc find_root(const ob_git_address *a, const char *dir, char **root, ocib_error **err)
{
	ob_autofree char *path = strdup(dir);

	for (const char *at = a->subdir; path && at && *at;) {
		size_t len = strcspn(at, "/");
		char *longer = ob_str_printf("%s/%.*s", path, (int)len, at);
		struct stat st;

		free(path);
		path = longer;
		if (!path)
			break;
		if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode))
			return ob_fail(err, OCIB_ERR_NOTFOUND,
				       "the repository has no directory '%s'", a->subdir);
		at += len + (at[len] == '/');
	}
	*root = ob_take_ptr(path);
	return *root ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_git_checkout(const ob_git_command *git, const ob_git_commit *commit, const char *dir,
			  bool keep_git_dir, char **root, int64_t *time, ocib_error **err)
{
	const ob_git_address *a = git->address;
	ob_git_command here = *git;
	bool keep = (keep_git_dir || a->keep_git_dir == 1) && !a->subdir;
	ocib_errc r = OCIB_OK;

	if (ob_context_offline(git->ctx))
		return ob_fail(err, OCIB_ERR_DENIED, "offline: no network may be used");
	here.dir = dir;
	r = make_repository(&here, commit, err);
	if (!r)
		r = fetch(&here, commit, err);
	if (!r)
		r = check_out(&here, commit, err);
	if (!r)
		r = finish(&here, commit, dir, keep, time, err);
	return r ? r : find_root(a, dir, root, err);
}
