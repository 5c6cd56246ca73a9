/* registry/registry_tags.c — the tags of a repository: listed page by page, removed one by one.
 *
 * A page names the next one in a Link header, which must stay with the registry. Removing a tag is
 * optional in the distribution specification; what a registry answers that cannot do it varies.
 */
#include <string.h>
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"
#include "registry/http_url.h"
#include "registry/registry_session.h"

static ocib_errc begin_page(const ob_http_reply *reply, void *arg, ocib_error **err)
{
	(void)reply;
	(void)err;
	ob_buffer_clear(arg);
	return OCIB_OK;
}

static ocib_errc keep_page(const void *data, size_t len, void *arg, ocib_error **err)
{
	ob_buffer_append(arg, data, len);
	return ob_buffer_check(arg, err);
}

/* `Link: </v2/x/tags/list?last=b&n=2>; rel="next"`: *next stays NULL without one. */
static ocib_errc find_next(const ob_registry *registry, const ob_http_reply *reply, char **next,
			   ocib_error **err)
{
	const char *link;

	for (size_t i = 0; (link = ob_http_header(reply, "Link", i)); i++) {
		const char *begin = strchr(link, '<'), *end = begin ? strchr(begin, '>') : NULL;
		ob_autofree char *target = NULL, *url = NULL;

		if (!end || !strstr(end, "next"))
			continue;
		target = strndup(begin + 1, (size_t)(end - begin - 1));
		if (!target)
			return ob_fail_nomem(err);
		ocib_errc rc = ob_url_resolve(reply->url, target, &url, NULL, err);
		if (rc)
			return rc;
		if (!ob_url_same_origin(url, registry->base))
			return ob_fail(err, OCIB_ERR_PROTOCOL,
				       "the next page of tags is at another host");
		*next = ob_take_ptr(url);
		return OCIB_OK;
	}
	return OCIB_OK;
}

static ocib_errc read_page(const ob_buffer *text, ob_strlist *tags, ocib_error **err)
{
	ob_auto(ob_json) page = NULL;
	ocib_errc rc = ob_json_parse(text->data ? text->data : "", text->len, &page, err);

	if (rc)
		return rc;
	/* "tags": null is what some say of an empty repository. */
	if (ob_json_len(ob_json_get(page, "tags")) == 0)
		return OCIB_OK;
	if (ob_json_get_strlist(page, "tags", tags))
		return ob_fail(err, OCIB_ERR_CORRUPT, "a list of tags with something else in it");
	return OCIB_OK;
}

static ocib_errc get_page(ob_registry *registry, const char *url, ob_strlist *tags, char **next,
			  ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_TAG_PAGE, "list of tags");
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	const ob_http_call call = {.method = OB_HTTP_GET,
				   .url = url,
				   .on_reply = begin_page,
				   .on_data = keep_page,
				   .arg = &text};

	ocib_errc rc = ob_registry_request(registry, &call, NULL, &reply, err);
	if (!rc && reply.status != 200)
		rc = ob_registry_fail_status(registry, &reply, err);
	if (!rc)
		rc = read_page(&text, tags, err);
	return rc ? rc : find_next(registry, &reply, next, err);
}

static ocib_errc list_tags(ob_registry *registry, ob_strlist *tags, ocib_error **err)
{
	ob_autofree char *url = NULL;
	ocib_errc rc = ob_registry_url(registry, &url, err, "tags/list?n=1000");

	for (int pages = 0; !rc && url; pages++) {
		ob_autofree char *next = NULL;

		if (pages == OB_LIMIT_TAG_PAGES)
			return ob_fail(err, OCIB_ERR_LIMIT, "more than %d pages of tags",
				       OB_LIMIT_TAG_PAGES);
		rc = get_page(registry, url, tags, &next, err);
		if (!rc && next && ob_str_eq(next, url))
			rc = ob_fail(err, OCIB_ERR_PROTOCOL, "a page that is followed by itself");
		free(url);
		url = ob_take_ptr(next);
	}
	return rc;
}

ocib_errc ob_registry_list_tags(ob_registry *registry, ob_strlist *tags, ocib_error **err)
{
	ocib_errc rc = list_tags(registry, tags, err);

	return rc ? ob_registry_wrap(registry, err, rc, "tags of %s", registry->path) : OCIB_OK;
}

static ocib_errc delete_tag(ob_registry *registry, const char *tag, ocib_error **err)
{
	ob_autodone(ob_http_reply) reply = OB_HTTP_REPLY_INIT;
	ob_autofree char *scope = ob_str_printf("repository:%s:pull,push,delete", registry->path);
	ob_autofree char *url = NULL;
	ob_http_call call = {.method = OB_HTTP_DELETE};

	if (!scope)
		return ob_fail_nomem(err);
	ocib_errc rc = ob_registry_url(registry, &url, err, "manifests/%s", tag);
	call.url = url;
	if (!rc)
		rc = ob_registry_request(registry, &call, scope, &reply, err);
	if (rc || reply.status == 202 || reply.status == 200 || reply.status == 204)
		return rc;
	if (reply.status == 400 || reply.status == 405)
		return ob_fail(err, OCIB_ERR_UNSUPPORTED, "it does not remove single tags");
	return ob_registry_fail_status(registry, &reply, err);
}

ocib_errc ob_registry_delete_tag(ob_registry *registry, const char *tag, ocib_error **err)
{
	ocib_errc rc = delete_tag(registry, tag, err);

	return rc ? ob_registry_wrap(registry, err, rc, "remove tag '%s' of %s", tag,
				     registry->path)
		  : OCIB_OK;
}
