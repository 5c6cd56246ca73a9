/* engine/transfer/transfer.c — pull, push and copy: which way an image goes.
 *
 * Each public call parses its names on the caller's thread and does the rest below a pump. A
 * destination gets its name last: what has a name is whole.
 */
#include "engine/transfer/transfer.h"
#include <string.h>
#include "base/strings.h"
#include "engine/pumped_call.h"
#include "engine/transfer/archive_write.h"
#include "engine/transfer/push.h"

typedef struct transfer_call {
	ob_transfer t;
	ob_image_name to;
} transfer_call;

static void transfer_call_done(transfer_call *call)
{
	ob_transfer_done(&call->t);
	ob_image_name_done(&call->to);
}

/* ---- Destinations. ---- */

static ocib_errc name_in(ob_store *store, const char *name, const ob_descriptor *root,
			 ocib_error **err)
{
	return ob_store_set_refs(store, &name, root, 1, err);
}

/* What counts is what was written to the destination, not what passed through on the way. */
static void set_moved(ob_transfer *t, uint64_t bytes)
{
	t->result.bytes = bytes;
	t->result.blobs_skipped = 0;
}

static ocib_errc copy_to(ob_transfer *t, ob_store *store, ocib_error **err)
{
	uint64_t bytes = 0;

	ocib_errc rc = ob_transfer_fetch(t, err);
	if (rc || t->work == store)
		return rc;
	rc = ob_store_copy_image(t->work, store, &t->root, &bytes, err);
	set_moved(t, bytes);
	return rc;
}

static ocib_errc to_store(transfer_call *call, ocib_error **err)
{
	ob_transfer *t = &call->t;
	ob_autofree char *name = ob_reference_format(&call->to.ref);

	if (!name)
		return ob_fail_nomem(err);
	ocib_errc rc = ob_transfer_open(t, t->store, err);
	if (!rc)
		rc = copy_to(t, t->store, err);
	return rc ? rc : name_in(t->store, name, &t->root, err);
}

static ocib_errc to_layout(transfer_call *call, ocib_error **err)
{
	ob_auto(ocib_store) layout = NULL;
	ob_transfer *t = &call->t;

	ocib_errc rc = ob_layout_open(call->to.path, true, &layout, err);
	if (!rc)
		rc = ob_transfer_open(t, layout, err);
	if (!rc)
		rc = copy_to(t, layout, err);
	if (!rc)
		rc = name_in(layout, call->to.tag ? call->to.tag : "latest", &t->root, err);
	/* Nothing may refer to a layout that is closed. */
	t->fetcher = ob_blob_fetcher_free(t->fetcher);
	return rc;
}

static ocib_errc to_oci_archive(transfer_call *call, ocib_error **err)
{
	ob_transfer *t = &call->t;
	const char *const tags[] = {call->to.tag ? call->to.tag : "latest", NULL};
	uint64_t bytes = 0;

	ocib_errc rc = ob_transfer_open(t, NULL, err);
	if (!rc)
		rc = ob_transfer_fetch(t, err);
	if (!rc)
		rc = ob_archive_write_oci(t->ctx, t->work, &t->root, call->to.path, tags, NULL,
					  &bytes, err);
	set_moved(t, bytes);
	return rc;
}

/*
 * The name an image has in a docker archive: as given, or the source's own; none for an
 * image id.
 */
static ocib_errc archive_name(const transfer_call *call, char **out, ocib_error **err)
{
	ob_autodone(ob_reference) given = {0};
	const ob_reference *ref = &call->t.source.ref;

	if (call->to.tag) {
		ocib_errc rc = ob_reference_parse(call->to.tag, &given, err);

		if (!rc)
			rc = ob_reference_default_tag(&given, err);
		if (rc)
			return rc;
		ref = &given;
	}
	if (!ref->path || !ref->tag)
		return OCIB_OK;
	*out = ob_str_printf("%s/%s:%s", ref->domain, ref->path, ref->tag);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc to_docker_archive(transfer_call *call, ocib_error **err)
{
	ob_transfer *t = &call->t;
	ob_autofree char *name = NULL;
	uint64_t bytes = 0;

	ocib_errc rc = archive_name(call, &name, err);
	if (!rc)
		rc = ob_transfer_open(t, NULL, err);
	if (!rc)
		rc = ob_transfer_fetch(t, err);
	const char *const names[] = {name, NULL};
	if (!rc)
		rc = ob_archive_write_docker(t->ctx, t->work, &t->root, call->to.path, names,
					     &bytes, err);
	set_moved(t, bytes);
	return rc;
}

/* A destination by digest is one without a tag; it can only be the image's own digest. */
static ocib_errc check_digest(const transfer_call *call, ocib_error **err)
{
	const ob_digest *wanted = &call->to.ref.digest;

	if (!ob_digest_is_set(wanted) || ob_digest_eq(wanted, &call->t.root.digest))
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID, "'%s': the image has another digest, %s",
		       call->to.text, call->t.root.digest.text);
}

static ocib_errc to_registry(transfer_call *call, ocib_error **err)
{
	ob_transfer *t = &call->t;

	ocib_errc rc = ob_registry_set_trust(t->registries, call->to.ref.domain, err);
	if (!rc)
		rc = ob_transfer_open(t, NULL, err);
	if (!rc)
		rc = check_digest(call, err);
	const ob_push_request request = {.ctx = t->ctx,
					 .store = t->work,
					 .memory = t->store,
					 .registries = t->registries,
					 .fetcher = t->fetcher,
					 .place = t->place,
					 .root = &t->root,
					 .destination = &call->to.ref};
	return rc ? rc : ob_push_image(&request, &t->result, err);
}

static ocib_errc run(void *arg, ocib_error **err)
{
	transfer_call *call = arg;

	switch (call->to.place) {
	case OB_PLACE_STORE: return to_store(call, err);
	case OB_PLACE_REGISTRY: return to_registry(call, err);
	case OB_PLACE_LAYOUT: return to_layout(call, err);
	case OB_PLACE_OCI_ARCHIVE: return to_oci_archive(call, err);
	default: return to_docker_archive(call, err);
	}
}

/* ---- Public calls. ---- */

static ocib_errc begin(transfer_call *call, ocib_context *ctx, ocib_store *store,
		       const ocib_transfer_options *options, const char *from, const char *to,
		       ocib_error **err)
{
	ocib_errc rc = ob_transfer_init(&call->t, ctx, store, options, err);

	if (!rc)
		rc = ob_image_name_parse(from, &call->t.source, err);
	return rc ? rc : ob_image_name_parse(to, &call->to, err);
}

static ocib_errc finish(transfer_call *call, ocib_transfer_result *result, ocib_error **err)
{
	ocib_errc rc = ob_pumped_call(call->t.ctx, run, call, err);

	if (!rc && result)
		*result = call->t.result;
	return rc;
}

/* A plain name is meant as one of a registry. */
static ocib_errc mean_registry(ob_image_name *name, ocib_error **err)
{
	if (name->place == OB_PLACE_STORE && name->ref.path)
		name->place = OB_PLACE_REGISTRY;
	if (name->place == OB_PLACE_REGISTRY)
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID, "'%s' names no image of a registry", name->text);
}

static ocib_errc mean_store(const ob_image_name *name, ocib_error **err)
{
	if (name->place == OB_PLACE_STORE)
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID, "'%s' names no image of the store", name->text);
}

static ocib_errc check_destination(const ob_image_name *to, ocib_error **err)
{
	bool named = to->place == OB_PLACE_STORE || to->place == OB_PLACE_REGISTRY;
	bool may_have_digest = to->place == OB_PLACE_REGISTRY && !to->ref.tag;

	if (named && (!to->ref.path || (ob_digest_is_set(&to->ref.digest) && !may_have_digest)))
		return ob_fail(err, OCIB_ERR_INVALID,
			       "'%s': a destination is a name, and no digest", to->text);
	if (ob_digest_is_set(&to->digest))
		return ob_fail(err, OCIB_ERR_INVALID, "'%s': a destination has no digest",
			       to->text);
	return OCIB_OK;
}

ocib_errc ocib_pull(ocib_context *ctx, ocib_store *store, const char *name,
		    const ocib_transfer_options *options, ocib_transfer_result *result,
		    ocib_error **err)
{
	ob_autodone(transfer_call) call = {0};

	ocib_errc rc = begin(&call, ctx, store, options, name, name, err);
	if (!rc)
		rc = mean_registry(&call.t.source, err);
	call.to.place = OB_PLACE_STORE;
	return rc ? rc : finish(&call, result, err);
}

ocib_errc ocib_push(ocib_context *ctx, ocib_store *store, const char *name, const char *destination,
		    const ocib_transfer_options *options, ocib_transfer_result *result,
		    ocib_error **err)
{
	ob_autodone(transfer_call) call = {0};

	ocib_errc rc =
		begin(&call, ctx, store, options, name, destination ? destination : name, err);
	if (!rc && (!options || !options->platform))
		call.t.all_platforms = true;
	if (!rc)
		rc = mean_store(&call.t.source, err);
	if (!rc)
		rc = mean_registry(&call.to, err);
	if (!rc)
		rc = check_destination(&call.to, err);
	return rc ? rc : finish(&call, result, err);
}

ocib_errc ocib_copy(ocib_context *ctx, ocib_store *store, const char *source,
		    const char *destination, const ocib_transfer_options *options,
		    ocib_transfer_result *result, ocib_error **err)
{
	ob_autodone(transfer_call) call = {0};

	ocib_errc rc = begin(&call, ctx, store, options, source, destination, err);
	if (!rc)
		rc = check_destination(&call.to, err);
	return rc ? rc : finish(&call, result, err);
}
