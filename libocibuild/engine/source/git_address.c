/* engine/source/git_address.c — see git_address.h.
 *
 * What is behind '#' is "REF:DIR", what is behind '?' the same and more as a query; both may be there as
 * long as they agree. User and password are taken out of http URLs: git is given them in another way, so
 * that no list of processes and no message of git has them.
 *
 * "github.com/user/repo" without a scheme is a path in ADD: BuildKit takes it as a repository only for the
 * build context itself. A scheme that nobody knows makes a path too.
 */
#include "engine/source/git_address.h"
#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"
#include "base/strlist.h"

void ob_git_address_done(ob_git_address *address)
{
	free(address->remote);
	free(address->user);
	if (address->password)
		explicit_bzero(address->password, strlen(address->password));
	free(address->password);
	free(address->ref);
	free(address->subdir);
	free(address->checksum);
	*address = (ob_git_address){0};
}

/* --- is it one? --- */

/* Length of "scheme" in "scheme://", 0 when there is none. */
static size_t scheme_len(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]))
		len++;
	return len && ob_str_starts(text + len, "://") ? len : 0;
}

static bool is_scheme(const char *text, size_t len, const char *scheme)
{
	return strlen(scheme) == len && strncasecmp(text, scheme, len) == 0;
}

static bool is_http(const char *text)
{
	size_t len = scheme_len(text);

	return len && (is_scheme(text, len, "http") || is_scheme(text, len, "https"));
}

/* user@host:path as scp and git take it. */
static bool is_scp_style(const char *text)
{
	static const char user[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	static const char host[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	size_t len = strspn(text, user);

	if (!len || *text == '-' || text[len] != '@') /* no option of ssh */
		return false;
	text += len + 1;
	len = strspn(text, host);
	return len && text[len] == ':';
}

bool ob_is_git_address(const char *text)
{
	size_t len = scheme_len(text);

	if (!len)
		return is_scp_style(text);
	if (is_scheme(text, len, "git") || is_scheme(text, len, "ssh"))
		return true;
	if (!is_http(text))
		return false;
	const char *path = text + len + 3;
	size_t end = strcspn(path, "?#");
	return end >= 4 && strncmp(path + end - 4, ".git", 4) == 0 && memchr(path, '/', end);
}

bool ob_is_ssh_address(const char *remote)
{
	return ob_str_starts(remote, "ssh://") || is_scp_style(remote);
}

bool ob_is_file_url(const char *text)
{
	return (ob_str_starts(text, "http://") || ob_str_starts(text, "https://")) &&
	       !ob_is_git_address(text);
}

bool ob_is_commit_id(const char *text)
{
	size_t len = strlen(text);

	return (len == 40 || len == 64) && strspn(text, "0123456789abcdef") == len;
}

/* --- words of a URL --- */

/* Percent signs (and in a query '+') undone; NULL: no memory, or what is no text. */
static char *decode(const char *text, size_t len, bool is_query)
{
	ob_autofree char *out = malloc(len + 1);
	size_t n = 0;

	for (size_t i = 0; out && i < len; i++) {
		uint8_t byte = (uint8_t)text[i];

		if (byte == '+' && is_query)
			byte = ' ';
		if (text[i] == '%') {
			const char digits[3] = {i + 1 < len ? text[i + 1] : '\0',
						i + 2 < len ? text[i + 2] : '\0', '\0'};

			if (!ob_hex_decode(digits, &byte, 1))
				return NULL;
			i += 2;
		}
		if (byte < 0x20 || byte == 0x7f)
			return NULL;
		out[n++] = (char)byte;
	}
	if (out)
		out[n] = '\0';
	return ob_take_ptr(out);
}

static ocib_errc fail_text(const char *what, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_INVALID, "%s of the git URL is no text", what);
}

/* Two ways to say one thing must say the same. */
static ocib_errc set_once(char **field, char *value, const char *what, ocib_error **err)
{
	ob_autofree char *taken = value;

	if (*field && !ob_str_eq(*field, taken))
		return ob_fail(err, OCIB_ERR_INVALID, "%s conflicts: '%s' and '%s'", what, *field,
			       taken);
	free(*field);
	*field = ob_take_ptr(taken);
	return OCIB_OK;
}

/* --- the query --- */

typedef struct query {
	ob_git_address *address;
	char *tag, *branch;
	ob_strlist seen;
} query;

static void query_done(query *q)
{
	free(q->tag);
	free(q->branch);
	ob_strlist_done(&q->seen);
}

static ocib_errc set_text(char **field, const char *key, const char *value, ocib_error **err)
{
	if (!*value)
		return ob_fail(err, OCIB_ERR_INVALID, "query '%s' of the git URL has no value",
			       key);
	char *copy = strdup(value);
	return copy ? set_once(field, copy, key, err) : ob_fail_nomem(err);
}

static ocib_errc read_bool(const char *key, const char *value, bool *out, ocib_error **err)
{
	*out = true;
	if (!*value || ob_parse_bool(value, out))
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID,
		       "query '%s' of the git URL is true or false, not '%s'", key, value);
}

static ocib_errc read_switch(query *q, const char *key, const char *value, ocib_error **err)
{
	ob_git_address *a = q->address;
	bool on = false;
	ocib_errc r = read_bool(key, value, &on, err);

	if (ob_str_eq(key, "keep-git-dir"))
		a->keep_git_dir = on;
	else if (ob_str_eq(key, "submodules"))
		a->submodules = on;
	else
		a->by_commit = on;
	return r;
}

static ocib_errc read_mtime(query *q, const char *key, const char *value, ocib_error **err)
{
	q->address->commit_time = ob_str_eq(value, "commit");
	if (q->address->commit_time || ob_str_eq(value, "checkout"))
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID,
		       "query '%s' of the git URL is checkout or commit, not '%s'", key, value);
}

static ocib_errc read_text(query *q, const char *key, const char *value, ocib_error **err)
{
	ob_git_address *a = q->address;

	if (ob_str_eq(key, "tag"))
		return set_text(&q->tag, key, value, err);
	if (ob_str_eq(key, "branch"))
		return set_text(&q->branch, key, value, err);
	if (ob_str_eq(key, "ref"))
		return set_text(&a->ref, key, value, err);
	if (ob_str_eq(key, "subdir"))
		return set_text(&a->subdir, key, value, err);
	return set_text(&a->checksum, key, value, err);
}

static const struct {
	const char *key;
	ocib_errc (*read)(query *q, const char *key, const char *value, ocib_error **err);
} keys[] = {
	{"ref", read_text},
	{"tag", read_text},
	{"branch", read_text},
	{"subdir", read_text},
	{"checksum", read_text},
	{"commit", read_text},
	{"keep-git-dir", read_switch},
	{"submodules", read_switch},
	{"fetch-by-commit", read_switch},
	{"mtime", read_mtime},
};

static ocib_errc read_pair(query *q, const char *text, size_t len, ocib_error **err)
{
	const char *equals = memchr(text, '=', len);
	size_t key_len = equals ? (size_t)(equals - text) : len;
	ob_autofree char *key = decode(text, key_len, true);
	ob_autofree char *value =
		decode(equals ? equals + 1 : "", equals ? len - key_len - 1 : 0, true);

	if (!key || !value)
		return fail_text("the query", err);
	if (ob_strlist_contains(&q->seen, key))
		return ob_fail(err, OCIB_ERR_INVALID, "query '%s' of the git URL is there twice",
			       key);
	if (ob_strlist_add(&q->seen, key))
		return ob_fail_nomem(err);
	for (size_t i = 0; i < OB_ARRAY_LEN(keys); i++) {
		if (ob_str_eq(keys[i].key, key))
			return keys[i].read(q, key, value, err);
	}
	return ob_fail(err, OCIB_ERR_INVALID, "unexpected query '%s' in the git URL", key);
}

/* The full name of a tag or branch as the reference. */
static ocib_errc set_full_ref(ob_git_address *a, const char *prefix, const char *name,
			      ocib_error **err)
{
	char *full = ob_str_printf("%s%s", ob_str_starts(name, prefix) ? "" : prefix, name);

	return full ? set_once(&a->ref, full, "ref", err) : ob_fail_nomem(err);
}

static ocib_errc read_query(ob_git_address *a, const char *text, size_t len, ocib_error **err)
{
	__attribute__((cleanup(query_done))) query q = {.address = a};

	for (size_t at = 0; at < len;) {
		const char *and = memchr(text + at, '&', len - at);
		size_t one = and? (size_t)(and-text) - at : len - at;
		ocib_errc r = one ? read_pair(&q, text + at, one, err) : OCIB_OK;

		if (r)
			return r;
		at += one + 1;
	}
	if (q.tag && q.branch)
		return ob_fail(err, OCIB_ERR_INVALID, "branch conflicts with tag");
	if (q.tag)
		return set_full_ref(a, "refs/tags/", q.tag, err);
	return q.branch ? set_full_ref(a, "refs/heads/", q.branch, err) : OCIB_OK;
}

/* --- the rest --- */

/* "REF:DIR", either of which may be missing. */
static ocib_errc read_fragment(ob_git_address *a, const char *text, ocib_error **err)
{
	ob_autofree char *plain = decode(text, strlen(text), false);

	if (!plain)
		return fail_text("the fragment", err);
	char *colon = strchr(plain, ':');
	if (colon)
		*colon = '\0';
	a->ref = *plain ? strdup(plain) : NULL;
	a->subdir = colon ? ob_path_to_entry(colon + 1) : NULL;
	return (*plain && !a->ref) || (colon && !a->subdir) ? ob_fail_nomem(err) : OCIB_OK;
}

/* What git itself would refuse, and what it would take for an option or a pattern. */
static ocib_errc check_ref(const char *ref, ocib_error **err)
{
	if (!ref)
		return OCIB_OK;
	if (*ref != '-' && !strpbrk(ref, " ~^:?*[\\") && !strstr(ref, "..") && !strstr(ref, "@{"))
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID, "no git reference can be called '%s'", ref);
}

static ocib_errc check(ob_git_address *a, ocib_error **err)
{
	ob_autofree char *subdir = a->subdir ? ob_path_to_entry(a->subdir) : NULL;
	ocib_errc r = check_ref(a->ref, err);

	if (r)
		return r;
	if (a->subdir && !subdir)
		return ob_fail_nomem(err);
	free(a->subdir);
	a->subdir = subdir && *subdir ? ob_take_ptr(subdir) : NULL;
	if (a->checksum && strspn(a->checksum, "0123456789abcdefABCDEF") != strlen(a->checksum))
		return ob_fail(err, OCIB_ERR_INVALID,
			       "checksum '%s' is no beginning of a commit's id", a->checksum);
	if (a->checksum)
		ob_str_lower(a->checksum);
	if (a->by_commit && !(a->checksum && ob_is_commit_id(a->checksum)))
		return ob_fail(err, OCIB_ERR_INVALID,
			       "fetch-by-commit needs a checksum that is a whole commit id");
	return OCIB_OK;
}

/* User and password of "http://user:password@host/", taken out of @remote. */
static ocib_errc take_user_info(ob_git_address *a, ocib_error **err)
{
	char *host = a->remote + scheme_len(a->remote) + 3;
	char *end = memrchr(host, '@', strcspn(host, "/"));
	char *colon = end ? memchr(host, ':', (size_t)(end - host)) : NULL;

	if (!end)
		return OCIB_OK;
	a->user = decode(host, (size_t)((colon ? colon : end) - host), false);
	if (colon)
		a->password = decode(colon + 1, (size_t)(end - colon) - 1, false);
	if (!a->user || (colon && !a->password))
		return fail_text("the user", err);
	memmove(host, end + 1, strlen(end + 1) + 1);
	return OCIB_OK;
}

static ocib_errc read_remote(ob_git_address *a, const char *text, size_t len, ocib_error **err)
{
	size_t scheme = scheme_len(text);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return fail_text("the address", err);
	}
	a->remote = ob_str_printf("%s%.*s", ob_str_starts(text, "github.com/") ? "https://" : "",
				  (int)len, text);
	if (!a->remote)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < scheme; i++)
		a->remote[i] = (char)tolower((unsigned char)a->remote[i]);
	if (is_http(a->remote)) {
		ocib_errc r = take_user_info(a, err);

		if (r)
			return r;
	}
	scheme = scheme_len(a->remote);
	const char *host = scheme ? a->remote + scheme + 3 : strchr(a->remote, '@') + 1;
	if (*host == '-')
		return ob_fail(err, OCIB_ERR_INVALID, "no host can be called '%s'", host);
	if (scheme && strchr("/:", *host))
		return ob_fail(err, OCIB_ERR_INVALID, "the git URL names no host");
	return OCIB_OK;
}

ocib_errc ob_git_address_parse(const char *text, ob_git_address *out, ocib_error **err)
{
	ob_autodone(ob_git_address) a = {.keep_git_dir = -1, .submodules = -1};
	size_t before_fragment = strcspn(text, "#"), before_query = strcspn(text, "?#");
	ocib_errc r = OCIB_OK;

	if (strlen(text) > OB_LIMIT_URL ||
	    (!ob_is_git_address(text) && !ob_str_starts(text, "github.com/")))
		return ob_fail(err, OCIB_ERR_INVALID, "not a git URL");
	r = read_remote(&a, text, before_query, err);
	if (!r && text[before_fragment])
		r = read_fragment(&a, text + before_fragment + 1, err);
	if (!r && before_query < before_fragment)
		r = read_query(&a, text + before_query + 1, before_fragment - before_query - 1,
			       err);
	if (!r)
		r = check(&a, err);
	if (r)
		return r;
	*out = a;
	a = (ob_git_address){0};
	return OCIB_OK;
}
