/* registry/auth_challenge.c — WWW-Authenticate is a list of lists with the same separator for both.
 *
 *   challenge  = scheme [ 1*SP ( token68 / #( token BWS "=" BWS ( token / quoted-string ) ) ) ]
 *   header     = #challenge
 *
 * So after a comma either a further parameter follows or a new scheme, and only the "=" after the
 * word tells. The reader goes through the text once with a cursor and never looks back further than
 * a word.
 */
#include "registry/auth_challenge.h"
#include <stdlib.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"

void ob_challenges_done(ob_challenges *list)
{
	for (size_t i = 0; i < list->len; i++) {
		free(list->items[i].scheme);
		ob_strlist_done(&list->items[i].params);
	}
	free(list->items);
	*list = (ob_challenges){0};
}

static bool is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_blanks(const char *at)
{
	return at + strspn(at, " \t");
}

static size_t token_len(const char *at)
{
	size_t len = 0;

	while (is_token_char(at[len]))
		len++;
	return len;
}

/* What comes after "name" and blanks when it is a parameter: the text behind its "=", else NULL. A
 * token68 such as "YWJj==" is no parameter: nothing but "=" and a comma or the end follows. */
static const char *param_value(const char *after_name)
{
	const char *at = skip_blanks(after_name);

	if (*at != '=')
		return NULL;
	at = skip_blanks(at + 1);
	return *at == '"' || is_token_char(*at) ? at : NULL;
}

/* Reads a token or quoted string at *at into value; false when it does not end. */
static bool read_value(const char **at, ob_buffer *value)
{
	const char *p = *at;

	if (*p != '"') {
		size_t len = token_len(p);

		ob_buffer_append(value, p, len);
		*at = p + len;
		return true;
	}
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		ob_buffer_append_char(value, *p);
	}
	*at = *p ? p + 1 : p;
	return *p == '"';
}

static ocib_errc add_scheme(ob_challenges *list, const char *name, size_t len, ocib_error **err)
{
	if (list->len == OB_LIMIT_AUTH_CHALLENGES)
		return ob_fail(err, OCIB_ERR_LIMIT, "more than %d authentication challenges",
			       OB_LIMIT_AUTH_CHALLENGES);
	ob_challenge *items = realloc(list->items, (list->len + 1) * sizeof(*items));
	if (!items)
		return ob_fail_nomem(err);
	list->items = items;
	ob_challenge *one = &items[list->len];
	*one = (ob_challenge){.scheme = strndup(name, len)};
	if (!one->scheme)
		return ob_fail_nomem(err);
	ob_str_lower(one->scheme);
	list->len++;
	return OCIB_OK;
}

static ocib_errc add_param(ob_challenge *challenge, const char *name, size_t len,
			   const ob_buffer *value, ocib_error **err)
{
	ob_autofree char *key = strndup(name, len);

	if (challenge->params.len == OB_LIMIT_AUTH_PARAMS)
		return ob_fail(err, OCIB_ERR_LIMIT, "more than %d parameters in a challenge",
			       OB_LIMIT_AUTH_PARAMS);
	if (!key)
		return ob_fail_nomem(err);
	ob_str_lower(key);
	if (ob_env_get(&challenge->params, key))
		return OCIB_OK;
	if (ob_strlist_add_printf(&challenge->params, "%s=%s", key, value->data ? value->data : ""))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/* A scheme and what may follow it directly: blanks and a token68, which nobody here uses. */
static const char *skip_token68(const char *at)
{
	const char *p = skip_blanks(at);
	size_t len = token_len(p);

	if (p == at || param_value(p + len))
		return at;
	while (is_token_char(*p) || *p == '/')
		p++;
	p += strspn(p, "=");
	return *skip_blanks(p) == ',' || !*skip_blanks(p) ? p : at;
}

ocib_errc ob_challenges_parse(const char *header, ob_challenges *list, ocib_error **err)
{
	size_t before = list->len;

	for (const char *at = header;;) {
		at += strspn(at, " \t,");
		size_t len = token_len(at);
		if (!len)
			return OCIB_OK;
		const char *value = param_value(at + len);

		if (value && list->len > before) {
			ob_autodone(ob_buffer) text =
				OB_BUFFER_INIT(OB_LIMIT_HTTP_HEADERS, "challenge");

			if (!read_value(&value, &text))
				return OCIB_OK;
			ocib_errc rc = ob_buffer_check(&text, err);
			if (!rc)
				rc = add_param(&list->items[list->len - 1], at, len, &text, err);
			if (rc)
				return rc;
			at = value;
		} else {
			ocib_errc rc = add_scheme(list, at, len, err);
			if (rc)
				return rc;
			at = skip_token68(at + len);
		}
	}
}

const ob_challenge *ob_challenges_find(const ob_challenges *list, const char *scheme)
{
	for (size_t i = 0; i < list->len; i++) {
		if (ob_str_eq(list->items[i].scheme, scheme))
			return &list->items[i];
	}
	return NULL;
}

const char *ob_challenge_param(const ob_challenge *challenge, const char *name)
{
	return ob_env_get(&challenge->params, name);
}
