/* image/reference.c — names of images, as people write them and as registries know them.
 *
 * The grammar is that of the distribution project, which Docker and BuildKit use:
 *
 *   reference = [domain "/"] path [":" tag] ["@" digest]
 *   domain    = host [":" port]     host = labels joined by dots, or an IPv6 address in brackets
 *   path      = components joined by "/", each [a-z0-9]+ joined by ".", "_", "__" or "-"s
 *
 * and its rule for telling a domain from a path: the first component is a domain when it has a dot, a
 * colon or a capital, or is "localhost". Names without a domain are Docker Hub's. One thing is stricter
 * than there: what looks like a domain and is none (foo_bar.com/x) is refused here, where there it
 * becomes a name without a domain and fails later.
 */
#include "image/reference.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"

#define DEFAULT_DOMAIN "docker.io"
#define LEGACY_DOMAIN  "index.docker.io"
#define OFFICIAL       "library/"
#define PATH_MAX_LEN   255
#define TAG_MAX_LEN    128

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

static bool has_upper(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			return true;
	return false;
}

/** Length of a separator between the words of a path component; 0: none, or a bad one. */
static size_t separator_len(const char *text)
{
	if (text[0] == '.')
		return 1;
	if (text[0] == '_')
		return text[1] == '_' ? 2 : 1;
	return strspn(text, "-");
}

/** All of [text, text + len) must be a path. */
static bool is_path(const char *text, size_t len)
{
	size_t i = 0;

	for (;;) {
		if (i >= len || !is_lower_alnum(text[i]))
			return false;
		while (i < len && is_lower_alnum(text[i]))
			i++;
		if (i == len)
			return true;
		i += text[i] == '/' ? 1 : separator_len(text + i);
		if (!is_lower_alnum(text[i]))
			return false;
	}
}

static bool is_tag(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > TAG_MAX_LEN || !(is_alnum(text[0]) || text[0] == '_'))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!is_alnum(text[i]) && !strchr("_.-", text[i]))
			return false;
	return true;
}

/** Labels joined by dots, each beginning and ending with a letter or digit. */
static bool is_host_name(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool first = i == 0 || text[i - 1] == '.';
		bool last = i + 1 == len || text[i + 1] == '.';

		if (text[i] == '.'   ? i == 0 || last
		    : text[i] == '-' ? first || last
				     : !is_alnum(text[i]))
			return false;
	}
	return len > 0;
}

/** Length of the host part of a domain: up to the port's colon. */
static size_t host_len(const char *domain)
{
	if (domain[0] == '[') {
		const char *close = strchr(domain, ']');

		return close ? (size_t)(close - domain) + 1 : strlen(domain);
	}
	return strcspn(domain, ":");
}

static bool is_domain(const char *domain)
{
	size_t len = host_len(domain);
	const char *port = domain + len;

	if (domain[0] == '[') {
		size_t inside = strspn(domain + 1, "0123456789abcdefABCDEF:");

		if (inside == 0 || domain[inside + 1] != ']')
			return false;
	} else if (!is_host_name(domain, len)) {
		return false;
	}
	return port[0] == '\0' ||
	       (port[0] == ':' && port[1] && strspn(port + 1, "0123456789") == strlen(port + 1));
}

/** Length of the domain that @p text begins with (what follows is '/'), or 0. */
static size_t domain_len(const char *text)
{
	size_t len = strcspn(text, "/");

	if (text[len] != '/')
		return 0;
	if ((len == 9 && strncmp(text, "localhost", 9) == 0) || memchr(text, '.', len) ||
	    memchr(text, ':', len) || has_upper(text, len))
		return len;
	return 0;
}

static ocib_errc bad_name(const char *text, const char *why, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_INVALID, "image name '%.200s': %s", text, why);
}

static bool is_hex_id(const char *text)
{
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64;
}

/** ":tag" and "@digest", at @p tail, into ref. */
static ocib_errc parse_tail(const char *text, const char *tail, ob_reference *ref, ocib_error **err)
{
	const char *at = strchr(tail, '@');

	if (tail[0] == ':') {
		size_t len = at ? (size_t)(at - tail) : strlen(tail);

		ref->tag = strndup(tail + 1, len - 1);
		if (!ref->tag)
			return ob_fail_nomem(err);
		if (!is_tag(ref->tag))
			return bad_name(text,
					"the tag must be 1 to 128 letters, digits, '_', '.' or "
					"'-', and begin with none of the last two",
					err);
	}
	if (at && ob_digest_parse(at + 1, &ref->digest, NULL) != OCIB_OK)
		return bad_name(text, "the digest must be sha256: and 64 lower-case hex digits",
				err);
	return OCIB_OK;
}

/** The path between the domain and the tail, "library/" put in front of Docker Hub's own. */
static ocib_errc parse_path(const char *text, const char *path, size_t len, ob_reference *ref,
			    ocib_error **err)
{
	bool official = ob_str_eq(ref->domain, DEFAULT_DOMAIN) && !memchr(path, '/', len);

	if (has_upper(path, len))
		return bad_name(text, "the repository must be lower case", err);
	if (!is_path(path, len))
		return bad_name(text,
				len ? "a repository is words of a-z and 0-9, joined by single '.', "
				      "'_', '__', '-' or '/'"
				    : "there is no repository",
				err);
	ref->path = ob_str_printf("%s%.*s", official ? OFFICIAL : "", (int)len, path);
	if (!ref->path)
		return ob_fail_nomem(err);
	if (strlen(ref->path) > PATH_MAX_LEN)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "image name '%.200s': a repository has at most %d characters", text,
			       PATH_MAX_LEN);
	return OCIB_OK;
}

static ocib_errc parse_domain(const char *text, size_t len, ob_reference *ref, ocib_error **err)
{
	bool hub = len == 0 ||
		   (len == sizeof(LEGACY_DOMAIN) - 1 && strncmp(text, LEGACY_DOMAIN, len) == 0);

	ref->domain = hub ? strdup(DEFAULT_DOMAIN) : strndup(text, len);
	if (!ref->domain)
		return ob_fail_nomem(err);
	if (!is_domain(ref->domain))
		return bad_name(text, "the part before the first '/' is no valid registry host",
				err);
	return OCIB_OK;
}

ocib_errc ob_reference_parse(const char *text, ob_reference *out, ocib_error **err)
{
	ob_autodone(ob_reference) ref = {0};
	size_t domain, path_len;
	const char *path;
	ocib_errc r;

	if (text[0] == '\0')
		return bad_name(text, "it is empty", err);
	if (strlen(text) > OB_LIMIT_REFERENCE)
		return ob_fail(err, OCIB_ERR_LIMIT, "image name '%.60s…' is longer than %d bytes",
			       text, OB_LIMIT_REFERENCE);
	if (is_hex_id(text))
		return bad_name(text, "64 hex digits are an image id, not a name", err);

	domain = domain_len(text);
	r = parse_domain(text, domain, &ref, err);
	if (r != OCIB_OK)
		return r;
	path = domain ? text + domain + 1 : text;
	path_len = strcspn(path, ":@");
	r = parse_path(text, path, path_len, &ref, err);
	if (r == OCIB_OK)
		r = parse_tail(text, path + path_len, &ref, err);
	if (r != OCIB_OK)
		return r;
	*out = ref;
	memset(&ref, 0, sizeof(ref));
	return OCIB_OK;
}

void ob_reference_done(ob_reference *ref)
{
	free(ref->domain);
	free(ref->path);
	free(ref->tag);
	memset(ref, 0, sizeof(*ref));
}

ocib_errc ob_reference_default_tag(ob_reference *ref, ocib_error **err)
{
	if (ref->tag || ob_digest_is_set(&ref->digest))
		return OCIB_OK;
	ref->tag = strdup("latest");
	return ref->tag ? OCIB_OK : ob_fail_nomem(err);
}

static char *format(const char *domain, const char *path, const ob_reference *ref)
{
	return ob_str_printf("%s%s%s%s%s%s%s", domain, domain[0] ? "/" : "", path,
			     ref->tag ? ":" : "", ref->tag ? ref->tag : "",
			     ob_digest_is_set(&ref->digest) ? "@" : "", ref->digest.text);
}

char *ob_reference_format(const ob_reference *ref)
{
	return format(ref->domain, ref->path, ref);
}

/** Would @p path alone be read as something else: another registry's, or an image id? */
static bool is_misleading(const char *path)
{
	return domain_len(path) > 0 || is_hex_id(path);
}

char *ob_reference_familiar(const ob_reference *ref)
{
	const char *path = ref->path;

	if (!ob_str_eq(ref->domain, DEFAULT_DOMAIN))
		return ob_reference_format(ref);
	if (ob_str_starts(path, OFFICIAL) && !strchr(path + sizeof(OFFICIAL) - 1, '/'))
		path += sizeof(OFFICIAL) - 1;
	return is_misleading(path) ? ob_reference_format(ref) : format("", path, ref);
}

/** Four decimal numbers up to 255, the first 127. */
static bool is_loopback_ipv4(const char *host, size_t len)
{
	char text[16];
	unsigned dots = 0, value = 0, digits = 0;

	if (len >= sizeof(text) || strncmp(host, "127.", 4) != 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (host[i] == '.') {
			if (digits == 0)
				return false;
			dots++;
			value = digits = 0;
			continue;
		}
		if (host[i] < '0' || host[i] > '9')
			return false;
		value = value * 10 + (unsigned)(host[i] - '0');
		if (++digits > 3 || value > 255)
			return false;
	}
	return dots == 3 && digits > 0;
}

bool ob_reference_is_loopback(const ob_reference *ref)
{
	size_t len = host_len(ref->domain);

	return (len == 9 && strncasecmp(ref->domain, "localhost", 9) == 0) ||
	       (len == 5 && strncmp(ref->domain, "[::1]", 5) == 0) ||
	       is_loopback_ipv4(ref->domain, len);
}
