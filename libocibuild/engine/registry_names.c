/* engine/registry_names.c — the public calls about names in registries: no store, no build.
 *
 * Each opens one repository, asks its few questions and closes it.
 */
#include <ocibuild/registry.h>
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "registry/registry.h"

typedef struct repository {
	ob_reference ref; /* with tag or digest */
	ob_registry *registry;
} repository;

static void repository_done(repository *r)
{
	ob_registry_free(r->registry);
	ob_reference_done(&r->ref);
}

static ocib_errc repository_open(ocib_context *ctx, const char *name, bool push, repository *out,
				 ocib_error **err)
{
	const ob_registry_options options = {.push = push};

	if (ob_str_starts(name, "docker://"))
		name += strlen("docker://");
	ocib_errc rc = ob_reference_parse(name, &out->ref, err);
	if (!rc)
		rc = ob_reference_default_tag(&out->ref, err);
	return rc ? rc : ob_registry_open(ctx, &out->ref, &options, &out->registry, err);
}

static const char *wanted(const repository *r)
{
	return ob_digest_is_set(&r->ref.digest) ? r->ref.digest.text : r->ref.tag;
}

ocib_errc ocib_registry_resolve(ocib_context *ctx, const char *name, ocib_registry_manifest *out,
				ocib_error **err)
{
	ob_autodone(repository) r = {0};
	ob_autodone(ob_descriptor) found = {0};

	ocib_errc rc = repository_open(ctx, name, false, &r, err);
	if (!rc)
		rc = ob_registry_head_manifest(r.registry, wanted(&r), &found, err);
	if (rc)
		return rc;
	snprintf(out->digest, sizeof(out->digest), "%s", found.digest.text);
	snprintf(out->media_type, sizeof(out->media_type), "%s", found.media_type);
	out->size = found.size;
	return OCIB_OK;
}

static ocib_errc check_tag(const repository *r, const char *tag, ocib_error **err)
{
	ob_autofree char *name = ob_str_printf("%s/%s:%s", r->ref.domain, r->ref.path, tag);
	ob_autodone(ob_reference) parsed = {0};

	if (!name)
		return ob_fail_nomem(err);
	if (strpbrk(tag, ":/@"))
		return ob_fail(err, OCIB_ERR_INVALID, "'%s' is no tag", tag);
	return ob_reference_parse(name, &parsed, err);
}

ocib_errc ocib_registry_tag(ocib_context *ctx, const char *image, const char *tag, ocib_error **err)
{
	ob_autodone(ob_buffer) document = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");
	ob_autofree char *media_type = NULL;
	ob_autodone(repository) r = {0};

	ocib_errc rc = repository_open(ctx, image, true, &r, err);
	if (!rc)
		rc = check_tag(&r, tag, err);
	if (!rc)
		rc = ob_registry_get_manifest(r.registry, wanted(&r), &document, &media_type, NULL,
					      err);
	return rc ? rc
		  : ob_registry_put_manifest(r.registry, tag, media_type, document.data,
					     document.len, err);
}

ocib_errc ocib_registry_untag(ocib_context *ctx, const char *name, ocib_error **err)
{
	ob_autodone(repository) r = {0};

	ocib_errc rc = repository_open(ctx, name, true, &r, err);
	if (!rc && ob_digest_is_set(&r.ref.digest))
		rc = ob_fail(err, OCIB_ERR_INVALID, "'%s' is no tag", name);
	return rc ? rc : ob_registry_delete_tag(r.registry, r.ref.tag, err);
}

ocib_errc ocib_registry_list_tags(ocib_context *ctx, const char *repository_name,
				  ocib_registry_tag_fn each, void *user, ocib_error **err)
{
	ob_autodone(repository) r = {0};
	ob_autodone(ob_strlist) tags = {0};

	ocib_errc rc = repository_open(ctx, repository_name, false, &r, err);
	if (!rc)
		rc = ob_registry_list_tags(r.registry, &tags, err);
	for (size_t i = 0; !rc && i < tags.len; i++) {
		if (each(tags.items[i], user))
			return ob_fail(err, OCIB_ERR_CANCELED, "canceled");
	}
	return rc;
}
