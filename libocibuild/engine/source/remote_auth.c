/* engine/source/remote_auth.c — see remote_auth.h.
 *
 * Names and order are BuildKit's. A file with a token ends in a newline more often than not; that is no part
 * of it, and any other control character would begin a header of its own. What is made here goes to one
 * server (http_client.c, git_command.c) and into nothing that is kept.
 */
#include "engine/source/remote_auth.h"
#include <string.h>
#include "base/strings.h"
#include "registry/base64.h"
#include "registry/http_url.h"

/* What git's servers take for the user of a token. */
#define TOKEN_USER "x-access-token"

void ob_authorization_free(char *authorization)
{
	if (authorization)
		explicit_bzero(authorization, strlen(authorization));
	free(authorization);
}

/* The text of a secret; *len without white space at its end. */
static ocib_errc read_secret(const ob_secret *secret, size_t *len, ocib_error **err)
{
	const char *text = secret->data;

	*len = secret->len;
	while (*len && strchr(" \t\r\n", text[*len - 1]))
		--*len;
	for (size_t i = 0; i < *len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return ob_fail(
				err, OCIB_ERR_INVALID,
				"secret '%s' cannot be in an HTTP header: it is not one line "
				"of text",
				secret->id);
	}
	if (!*len)
		return ob_fail(err, OCIB_ERR_INVALID, "secret '%s' is empty", secret->id);
	return OCIB_OK;
}

static ocib_errc make_plain(const char *before, const char *text, size_t len, char **out,
			    ocib_error **err)
{
	*out = ob_str_printf("%s%.*s", before, (int)len, text);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc make_basic(const char *text, size_t len, char **out, ocib_error **err)
{
	ob_auto_authorization pair = NULL;
	ob_auto_authorization code = NULL;
	ocib_errc r = make_plain(TOKEN_USER ":", text, len, &pair, err);

	if (r)
		return r;
	code = ob_base64_encode(pair, strlen(pair));
	return code ? make_plain("Basic ", code, strlen(code), out, err) : ob_fail_nomem(err);
}

/* One name that a secret may have, and what is made of it. */
typedef struct source_of_header {
	const char *name; /* before the host */
	const char *join; /* between both; NULL: without a host */
	enum { HEADER, BEARER, BASIC } kind;
} source_of_header;

static ocib_errc try_secret(const ob_secrets *secrets, const source_of_header *from,
			    const char *host, char **out, ocib_error **err)
{
	ob_autofree char *id = ob_str_printf("%s%s%s", from->name, from->join ? from->join : "",
					     from->join ? host : "");
	const ob_secret *secret = id ? ob_secrets_find(secrets, id) : NULL;
	size_t len = 0;

	if (!id)
		return ob_fail_nomem(err);
	if (!secret)
		return OCIB_OK;
	ocib_errc r = read_secret(secret, &len, err);
	if (r)
		return r;
	if (from->kind == BASIC)
		return make_basic(secret->data, len, out, err);
	return make_plain(from->kind == BEARER ? "Bearer " : "", secret->data, len, out, err);
}

static ocib_errc find_header(const ob_secrets *secrets, const source_of_header *from, size_t count,
			     const char *url, bool with_port, char **out, ocib_error **err)
{
	ob_autofree char *host = NULL;
	ocib_errc r = OCIB_OK;

	*out = NULL;
	if (!secrets || !secrets->len)
		return OCIB_OK;
	host = ob_url_host(url, with_port);
	for (size_t i = 0; host && i < count && !r && !*out; i++)
		r = try_secret(secrets, &from[i], host, out, err);
	return r;
}

ocib_errc ob_http_authorization(const ob_secrets *secrets, const char *url, char **out,
				ocib_error **err)
{
	static const source_of_header from[] = {
		{"HTTP_AUTH_TOKEN", "_", BEARER},
		{"HTTP_AUTH_HEADER", "_", HEADER},
	};

	return find_header(secrets, from, OB_ARRAY_LEN(from), url, false, out, err);
}

ocib_errc ob_git_authorization(const ob_secrets *secrets, const char *remote, char **out,
			       ocib_error **err)
{
	static const source_of_header from[] = {
		{"GIT_AUTH_HEADER", ".", HEADER},
		{"GIT_AUTH_TOKEN", ".", BASIC},
		{"GIT_AUTH_HEADER", NULL, HEADER},
		{"GIT_AUTH_TOKEN", NULL, BASIC},
	};

	*out = NULL;
	if (!ob_str_starts(remote, "http://") && !ob_str_starts(remote, "https://"))
		return OCIB_OK;
	return find_header(secrets, from, OB_ARRAY_LEN(from), remote, true, out, err);
}
