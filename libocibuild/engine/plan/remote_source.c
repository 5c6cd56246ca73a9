/* engine/plan/remote_source.c — see remote_source.h.
 *
 * "github.com/user/repo" without a scheme is a path here: BuildKit takes it as a repository only for
 * the build context itself. A scheme that nobody knows makes a path too.
 */
#include "engine/plan/remote_source.h"
#include <ctype.h>
#include <string.h>
#include "base/strings.h"

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

/* user@host:path as scp and git take it. */
static bool is_scp_style(const char *text)
{
	static const char user[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
	static const char host[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
	size_t len = strspn(text, user);

	if (!len || text[len] != '@')
		return false;
	text += len + 1;
	len = strspn(text, host);
	return len && text[len] == ':';
}

bool ob_is_git_source(const char *text)
{
	size_t len = scheme_len(text);

	if (!len)
		return is_scp_style(text);
	if (is_scheme(text, len, "git") || is_scheme(text, len, "ssh"))
		return true;
	if (!is_scheme(text, len, "http") && !is_scheme(text, len, "https"))
		return false;
	const char *path = text + len + 3;
	size_t end = strcspn(path, "?#");
	return end >= 4 && strncmp(path + end - 4, ".git", 4) == 0 && memchr(path, '/', end);
}

bool ob_is_url_source(const char *text)
{
	return (ob_str_starts(text, "http://") || ob_str_starts(text, "https://")) &&
	       !ob_is_git_source(text);
}
