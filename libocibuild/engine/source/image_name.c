/* engine/source/image_name.c — the transports of Skopeo and BuildKit, and plain names.
 *
 * Skopeo ends a path at its first colon, BuildKit at the last one that no slash follows. Both are
 * kept for their own spellings, so that what works there means the same here.
 */
#include "engine/source/image_name.h"
#include <string.h>
#include "base/strings.h"

void ob_image_name_done(ob_image_name *name)
{
	free(name->text);
	free(name->path);
	free(name->tag);
	ob_reference_done(&name->ref);
	*name = (ob_image_name){0};
}

static ocib_errc parse_reference(const char *text, ob_image_name *out, ocib_error **err)
{
	ocib_errc rc = ob_reference_parse(text, &out->ref, err);

	return rc ? rc : ob_reference_default_tag(&out->ref, err);
}

static ocib_errc parse_digest(const char *text, ob_image_name *out, ocib_error **err)
{
	ob_auto(ocib_error) ignored = NULL;

	if (ob_digest_parse(text, &out->digest, &ignored) == OCIB_OK)
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID, "image name '%.200s': '%.200s' is no sha256 digest",
		       out->text, text);
}

static ocib_errc fail_path(const ob_image_name *name, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_INVALID, "image name '%.200s': no path is given", name->text);
}

/* PATH[:TAG], split at the first colon. */
static ocib_errc parse_path(const char *rest, ob_image_name *out, ocib_error **err)
{
	size_t len = strcspn(rest, ":");

	if (!len)
		return fail_path(out, err);
	out->path = strndup(rest, len);
	if (rest[len] && rest[len + 1]) {
		out->tag = strdup(rest + len + 1);
		if (!out->tag)
			return ob_fail_nomem(err);
	}
	return out->path ? OCIB_OK : ob_fail_nomem(err);
}

/* DIR[:TAG][@DIGEST], split at the last colon that no slash follows. */
static ocib_errc parse_layout_url(const char *rest, ob_image_name *out, ocib_error **err)
{
	const char *at = strrchr(rest, '@');
	size_t len = at ? (size_t)(at - rest) : strlen(rest);

	if (at) {
		ocib_errc rc = parse_digest(at + 1, out, err);
		if (rc)
			return rc;
	}
	out->path = strndup(rest, len);
	if (!out->path)
		return ob_fail_nomem(err);
	char *colon = strrchr(out->path, ':');
	if (colon && !strchr(colon, '/')) {
		*colon = '\0';
		out->tag = strdup(colon + 1);
		if (!out->tag)
			return ob_fail_nomem(err);
	}
	return *out->path ? OCIB_OK : fail_path(out, err);
}

static const struct {
	const char *prefix;
	ob_image_place place;
	ocib_errc (*parse)(const char *rest, ob_image_name *out, ocib_error **err);
} transports[] = {
	{"docker://", OB_PLACE_REGISTRY, parse_reference},
	{"docker-image://", OB_PLACE_REGISTRY, parse_reference},
	{"oci-layout://", OB_PLACE_LAYOUT, parse_layout_url},
	{"oci-archive:", OB_PLACE_OCI_ARCHIVE, parse_path},
	{"docker-archive:", OB_PLACE_DOCKER_ARCHIVE, parse_path},
	{"oci:", OB_PLACE_LAYOUT, parse_path},
};

static bool is_hex(const char *text, size_t len)
{
	return strspn(text, "0123456789abcdef") == len && !text[len];
}

static ocib_errc parse_plain(const char *text, ob_image_name *out, ocib_error **err)
{
	ob_autofree char *digest = NULL;

	out->place = OB_PLACE_STORE;
	if (ob_str_starts(text, "sha256:"))
		digest = strdup(text);
	else if (is_hex(text, 2 * OB_SHA256_LEN))
		digest = ob_str_printf("sha256:%s", text);
	else
		return parse_reference(text, out, err);
	return digest ? parse_digest(digest, out, err) : ob_fail_nomem(err);
}

static ocib_errc parse_any(const char *text, ob_image_name *out, ocib_error **err)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(transports); i++) {
		if (!ob_str_starts(text, transports[i].prefix))
			continue;
		out->place = transports[i].place;
		return transports[i].parse(text + strlen(transports[i].prefix), out, err);
	}
	return parse_plain(text, out, err);
}

ocib_errc ob_image_name_parse(const char *text, ob_image_name *out, ocib_error **err)
{
	ob_autodone(ob_image_name) name = {.text = strdup(text)};

	if (!name.text)
		return ob_fail_nomem(err);
	ocib_errc rc = parse_any(text, &name, err);
	if (rc)
		return rc;
	*out = name;
	name = (ob_image_name){0};
	return OCIB_OK;
}
