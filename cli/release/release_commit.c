/* cli/release/release_commit.c — see release_commit.h.
 *
 * What is built is the tree that is checked out, so git's HEAD counts, also where a CI's variable names
 * another commit (a workflow that checks out a branch of its choice). The variables are for trees that
 * came without their git directory, or machines without git.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "release_ci.h"
#include "release_commit.h"
#include "release_git.h"

/* In the order they are looked at; GitLab's are Woodpecker's too. */
static const char *const commit_variables[] = {"GITHUB_SHA", "CI_COMMIT_SHA", "DRONE_COMMIT_SHA",
					       "GIT_COMMIT"};
static const char *const source_variables[] = {"CI_PROJECT_URL", "CI_REPO_URL", "DRONE_REPO_LINK",
					       "GIT_URL"};

static const char *value_of(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static bool fail(const char *message)
{
	ci_annotate_text(NULL, 0, message);
	fprintf(stderr, "ocibuild: error: %s\n", message);
	return false;
}

bool release_commit_is_id(const char *text)
{
	size_t len = strlen(text);

	return (len == 40 || len == 64) && strspn(text, "0123456789abcdef") == len;
}

/* --- the CI --- */

static bool ask_ci(text_pool *pool, const char **variable, const char **id)
{
	for (size_t i = 0; i < sizeof(commit_variables) / sizeof(commit_variables[0]); i++) {
		const char *value = value_of(commit_variables[i]);

		if (!value)
			continue;
		size_t len = strcspn(value, " \t\r\n");
		*variable = commit_variables[i];
		*id = text_copy(pool, value, len);
		if (release_commit_is_id(*id))
			return true;
		return fail(text_printf(pool, "%s is '%.80s', which is no commit id",
					commit_variables[i], *id));
	}
	return true;
}

/* GitLab and Woodpecker tell it as "2026-11-25T10:00:00+01:00"; Woodpecker in seconds too. */
static bool parse_timestamp(const char *text, int64_t *out)
{
	struct tm tm = {0};
	char *end = NULL;
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	int hours = 0, minutes = 0;

	if (!rest) {
		*out = strtoll(text, &end, 10);
		return end != text && !*end && *out > 0;
	}
	if (*rest == '+' || *rest == '-') {
		if (sscanf(rest + 1, "%2d:%2d", &hours, &minutes) < 1)
			return false;
		if (*rest == '-') {
			hours = -hours;
			minutes = -minutes;
		}
	}
	*out = (int64_t)timegm(&tm) - hours * 3600 - minutes * 60;
	return true;
}

static void use_ci(release_commit *out, const char *variable, const char *id)
{
	const char *time = value_of("CI_COMMIT_TIMESTAMP");

	out->id = id;
	out->from = variable;
	out->has_time = time && parse_timestamp(time, &out->time);
}

/*
 * A repository's address as people open it: https, however this clone was made, so that all clones
 * say the same; without user and password, query and ".git". "" for a directory of this machine.
 */
static const char *clean_url(text_pool *pool, const char *url)
{
	static const char *const schemes[] = {"https://", "http://", "ssh://", "git://"};
	const char *host = NULL, *colon = strchr(url, ':');
	bool is_web = strncmp(url, "http", 4) == 0;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
			host = url + strlen(schemes[i]);
	/* git@host:team/app.git */
	if (!host && colon && !strstr(url, "://") && strcspn(url, "/") > (size_t)(colon - url))
		host = url;
	if (!host)
		return "";
	size_t authority = strcspn(host, host == url ? ":" : "/?#");
	const char *at = memrchr(host, '@', authority), *path = host + authority;
	size_t skip = at ? (size_t)(at - host) + 1 : 0;
	size_t name = is_web ? authority - skip : strcspn(host + skip, ":/");
	path += strspn(path, ":/");
	size_t len = strcspn(path, "?#");
	while (len && path[len - 1] == '/')
		len--;
	if (len > 4 && strncmp(path + len - 4, ".git", 4) == 0)
		len -= 4;
	return text_printf(pool, "%s://%.*s/%.*s", strncmp(url, "http:", 5) == 0 ? "http" : "https",
			   (int)name, host + skip, (int)len, path);
}

static const char *find_source(text_pool *pool, bool has_git)
{
	const char *server = value_of("GITHUB_SERVER_URL"), *name = value_of("GITHUB_REPOSITORY");

	if (server && name)
		return text_printf(pool, "%s/%s", server, name);
	for (size_t i = 0; i < sizeof(source_variables) / sizeof(source_variables[0]); i++)
		if (value_of(source_variables[i]))
			return clean_url(pool, value_of(source_variables[i]));
	if (!has_git)
		return "";
	git_answer answer = GIT_ASK(pool, "config", "--get", "remote.origin.url");
	return answer.status == 0 ? clean_url(pool, answer.text) : "";
}

/* --- git --- */

/* The first file that is not as committed: a line of `git status` without its two letters. */
static bool find_dirty(text_pool *pool, const char *store, const char *top, release_commit *out)
{
	const char *exclude = ":(top)";
	size_t len = strlen(top);

	if (store && strncmp(store, top, len) == 0 && store[len] == '/')
		exclude = text_printf(pool, ":(top,exclude,literal)%s", store + len + 1);
	git_answer answer = GIT_ASK(pool, "status", "--porcelain", "-z", "--untracked-files=normal",
				    "--", ":(top)", exclude);
	if (answer.status != 0)
		return fail(text_printf(pool, "git status failed: %s", answer.error));
	if (answer.len > 3)
		out->dirty = text_copy_harmless(pool, answer.text + 3, strlen(answer.text + 3));
	return true;
}

/* "ID TIME" of HEAD. */
static void find_head(text_pool *pool, release_commit *out)
{
	git_answer answer = GIT_ASK(pool, "log", "-1", "--no-show-signature", "--format=%H %ct");
	size_t len = strcspn(answer.text, " ");

	if (answer.status != 0 || !answer.text[len]) {
		out->why = strstr(answer.error, "does not have any commits")
				   ? "the repository has no commits yet"
				   : answer.error;
		return;
	}
	out->id = text_copy(pool, answer.text, len);
	out->time = strtoll(answer.text + len + 1, NULL, 10);
	out->has_time = true;
	out->has_git = true;
	out->from = "git";
	git_answer shallow = GIT_ASK(pool, "rev-parse", "--is-shallow-repository");
	out->is_shallow = shallow.status == 0 && strcmp(shallow.text, "true") == 0;
}

static bool ask_git(text_pool *pool, const char *store, release_commit *out)
{
	git_answer top = GIT_ASK(pool, "rev-parse", "--show-toplevel");

	if (!top.found) {
		out->why = "there is no git program";
		return true;
	}
	if (top.status != 0) {
		out->is_unreadable = !strstr(top.error, "not a git repository");
		out->why = out->is_unreadable ? top.error : "this is no git repository";
		return true;
	}
	find_head(pool, out);
	out->is_unreadable = !out->has_git;
	return out->has_git ? find_dirty(pool, store, top.text, out) : true;
}

bool release_commit_find(text_pool *pool, const char *store, release_commit *out)
{
	const char *variable = NULL, *id = NULL;

	*out = (release_commit){.id = "", .from = "", .source = "", .why = ""};
	if (!ask_ci(pool, &variable, &id) || !ask_git(pool, store, out))
		return false;
	if (!*out->id && id) {
		use_ci(out, variable, id);
		if (out->is_unreadable)
			out->note =
				text_printf(pool,
					    "git does not say what is checked out (%s), so "
					    "%s counts, and whether the tree is dirty is not known",
					    out->why, variable);
	} else if (id && strcmp(id, out->id) != 0)
		out->note = text_printf(pool,
					"%s is %.7s, but %.7s is checked out: that is what is "
					"released",
					variable, id, out->id);
	out->source = find_source(pool, out->has_git);
	return true;
}

/* --- history --- */

static bool is_ancestor(text_pool *pool, const char *older, const char *newer)
{
	return GIT_ASK(pool, "merge-base", "--is-ancestor", older, newer).status == 0;
}

static bool has_commit(text_pool *pool, const char *id)
{
	return GIT_ASK(pool, "cat-file", "-e", text_printf(pool, "%s^{commit}", id)).status == 0;
}

commit_order release_commit_compare(text_pool *pool, const release_commit *commit,
				    const char *other)
{
	if (!release_commit_is_id(other))
		return COMMIT_UNKNOWN;
	if (strcmp(commit->id, other) == 0)
		return COMMIT_SAME;
	if (!commit->has_git || !has_commit(pool, other))
		return COMMIT_UNKNOWN;
	if (is_ancestor(pool, other, commit->id))
		return COMMIT_BEFORE;
	if (is_ancestor(pool, commit->id, other))
		return COMMIT_AFTER;
	/* Where history was cut off, no connection may only mean that it is not here. */
	return commit->is_shallow ? COMMIT_UNKNOWN : COMMIT_DIVERGED;
}

static void add_names(text_pool *pool, const git_answer *answer, text_list *out)
{
	for (size_t at = 0; at < answer->len;) {
		const char *name = answer->text + at;

		/* They are matched with patterns, too; none can name a control character. */
		if (*name)
			text_list_add(pool, out, text_copy_harmless(pool, name, strlen(name)));
		at += strlen(name) + 1;
	}
}

bool release_commit_changes(text_pool *pool, const release_commit *commit, const char *other,
			    text_list *out, const char **why)
{
	if (!commit->has_git) {
		*why = commit->why;
		return false;
	}
	if (!release_commit_is_id(other) || !has_commit(pool, other)) {
		*why = commit->is_shallow ? "this clone is shallow and does not have it"
					  : "this clone does not have it";
		return false;
	}
	git_answer answer = GIT_ASK(pool, "diff", "--name-only", "--no-renames", "--no-ext-diff",
				    "-z", other, commit->id, "--");
	if (answer.status != 0) {
		*why = answer.error;
		return false;
	}
	add_names(pool, &answer, out);
	if (commit->dirty)
		text_list_add(pool, out, commit->dirty);
	return true;
}
