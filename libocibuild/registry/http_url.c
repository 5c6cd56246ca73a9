/* registry/http_url.c — URLs by libcurl's own parser, so that what is checked is what is connected
 * to.
 *
 * Whether credentials may go along is decided on origins (scheme, host, port) as curl sees them; a
 * second parser with another opinion would be a hole. The query of a URL is treated as a secret:
 * storage backends sign their addresses there.
 */
#include "registry/http_url.h"
#include <arpa/inet.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "registry/base64.h"
#include "registry/curl_library.h"

typedef CURLU ob_curlu;
static inline ob_curlu *ob_curlu_free(ob_curlu *url)
{
	if (url)
		ob_curl.curl_url_cleanup(url);
	return NULL;
}
OB_DEFINE_AUTO(ob_curlu);

static inline void ob_curl_textp(char **text)
{
	if (*text)
		ob_curl.curl_free(*text);
}
#define ob_auto_text __attribute__((cleanup(ob_curl_textp))) char *

static CURLU *parse(const char *text)
{
	CURLU *url = ob_curl_library_load(NULL) == OCIB_OK ? ob_curl.curl_url() : NULL;

	if (url && ob_curl.curl_url_set(url, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME)) {
		ob_curl.curl_url_cleanup(url);
		return NULL;
	}
	return url;
}

/* "Basic …" of the URL's user and password; *out stays NULL when there are none. */
static ocib_errc take_user_info(CURLU *url, char **out, ocib_error **err)
{
	ob_auto_text user = NULL;
	ob_auto_text password = NULL;

	(void)ob_curl.curl_url_get(url, CURLUPART_USER, &user, CURLU_URLDECODE);
	(void)ob_curl.curl_url_get(url, CURLUPART_PASSWORD, &password, CURLU_URLDECODE);
	if (!user && !password)
		return OCIB_OK;
	ob_autofree char *pair = ob_str_printf("%s:%s", user ? user : "", password ? password : "");
	ob_autofree char *code = pair ? ob_base64_encode(pair, strlen(pair)) : NULL;
	*out = code ? ob_str_printf("Basic %s", code) : NULL;
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_url_resolve(const char *base, const char *location, char **out, char **authorization,
			 ocib_error **err)
{
	ob_auto(ob_curlu) url = NULL;
	ob_autofree char *basic = NULL;
	ob_auto_text scheme = NULL;
	ob_auto_text text = NULL;
	ocib_errc rc = ob_curl_library_load(err);

	if (rc)
		return rc;
	url = ob_curl.curl_url();
	if (!url)
		return ob_fail_nomem(err);
	if ((base && ob_curl.curl_url_set(url, CURLUPART_URL, base, 0)) ||
	    strlen(location) > OB_LIMIT_URL ||
	    ob_curl.curl_url_set(url, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME) ||
	    ob_curl.curl_url_get(url, CURLUPART_SCHEME, &scheme, 0))
		return ob_fail(err, OCIB_ERR_INVALID, "not a URL");
	if (!ob_str_eq(scheme, "https") && !ob_str_eq(scheme, "http"))
		return ob_fail(err, OCIB_ERR_INVALID, "a URL of scheme '%.16s', not http or https",
			       scheme);
	rc = take_user_info(url, &basic, err);
	if (rc)
		return rc;
	if (basic && !authorization)
		return ob_fail(err, OCIB_ERR_INVALID, "a URL with a user name in it");
	(void)ob_curl.curl_url_set(url, CURLUPART_USER, NULL, 0);
	(void)ob_curl.curl_url_set(url, CURLUPART_PASSWORD, NULL, 0);
	(void)ob_curl.curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
	if (ob_curl.curl_url_get(url, CURLUPART_URL, &text, 0))
		return ob_fail(err, OCIB_ERR_INVALID, "not a URL");
	char *copy = strdup(text);
	if (!copy)
		return ob_fail_nomem(err);
	if (authorization)
		*authorization = ob_take_ptr(basic);
	*out = copy;
	return OCIB_OK;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part, unsigned flags)
{
	ob_auto_text x = NULL;
	ob_auto_text y = NULL;

	return ob_curl.curl_url_get(a, part, &x, flags) == CURLUE_OK &&
	       ob_curl.curl_url_get(b, part, &y, flags) == CURLUE_OK && ob_str_eq_nocase(x, y);
}

bool ob_url_same_origin(const char *a, const char *b)
{
	ob_auto(ob_curlu) x = parse(a);
	ob_auto(ob_curlu) y = parse(b);

	return x && y && same_part(x, y, CURLUPART_SCHEME, 0) &&
	       same_part(x, y, CURLUPART_HOST, 0) &&
	       same_part(x, y, CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

bool ob_url_is_https(const char *url)
{
	return strncmp(url, "https://", 8) == 0;
}

bool ob_host_is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	char bare[64];
	size_t len = strlen(host);

	if (ob_str_eq_nocase(host, "localhost"))
		return true;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	if (len > 2 && len < sizeof(bare) && host[0] == '[' && host[len - 1] == ']') {
		memcpy(bare, host + 1, len - 2);
		bare[len - 2] = '\0';
		host = bare;
	}
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool ob_url_is_loopback(const char *url)
{
	ob_auto(ob_curlu) parsed = parse(url);
	ob_auto_text host = NULL;

	return parsed && ob_curl.curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
	       ob_host_is_loopback(host);
}

char *ob_url_host(const char *url, bool with_port)
{
	ob_auto(ob_curlu) parsed = parse(url);
	ob_auto_text host = NULL;
	ob_auto_text port = NULL;

	if (!parsed || ob_curl.curl_url_get(parsed, CURLUPART_HOST, &host, 0))
		return NULL;
	if (!with_port) {
		size_t inside = host[0] == '[' ? 1 : 0;

		return strndup(host + inside, strlen(host) - 2 * inside);
	}
	(void)ob_curl.curl_url_get(parsed, CURLUPART_PORT, &port, 0);
	return ob_str_printf("%s%s%s", host, port ? ":" : "", port ? port : "");
}

char *ob_url_add_query(const char *url, const char *key, const char *value)
{
	ob_auto(ob_curlu) parsed = parse(url);
	ob_autofree char *pair = ob_str_printf("%s=%s", key, value);
	ob_auto_text text = NULL;

	if (!parsed || !pair ||
	    ob_curl.curl_url_set(parsed, CURLUPART_QUERY, pair,
				 CURLU_APPENDQUERY | CURLU_URLENCODE) ||
	    ob_curl.curl_url_get(parsed, CURLUPART_URL, &text, 0))
		return NULL;
	return strdup(text);
}

ocib_errc ob_url_path(const char *url, char **out, ocib_error **err)
{
	ob_autofree char *whole = NULL, *basic = NULL;
	ob_auto(ob_curlu) parsed = NULL;
	ob_auto_text path = NULL;
	ocib_errc rc = ob_url_resolve(NULL, url, &whole, &basic, err);

	if (rc)
		return rc;
	parsed = parse(whole);
	if (!parsed || ob_curl.curl_url_get(parsed, CURLUPART_PATH, &path, CURLU_URLDECODE))
		return ob_fail(err, OCIB_ERR_INVALID, "a URL with an odd path");
	*out = strdup(path);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

char *ob_url_show(const char *url)
{
	const char *scheme_end = strstr(url, "://");
	const char *host = scheme_end ? scheme_end + 3 : url;
	const char *user_end = memrchr(host, '@', strcspn(host, "/?#"));
	char *text = user_end ? ob_str_printf("%.*s%s", (int)(host - url), url, user_end + 1)
			      : strdup(url);

	if (!text)
		return NULL;
	text[strcspn(text, "?#")] = '\0';
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	}
	return text;
}
