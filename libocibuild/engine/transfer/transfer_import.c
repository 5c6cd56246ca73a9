/* engine/transfer/transfer_import.c — a root file system tarball as an image of one layer. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include "base/limits.h"
#include "base/options.h"
#include "base/strings.h"
#include "engine/pumped_call.h"
#include "engine/source/image_name.h"
#include "engine/transfer/import_changes.h"
#include "engine/transfer/import_layer.h"
#include "image/manifest.h"
#include "layer/layer_writer.h"
#include <ocibuild/transfer.h>

typedef struct import_call {
	ocib_context *ctx;
	ob_store *store;
	const char *file;
	const char *name; /* whole reference, or NULL */
	ocib_import_options options;
	ob_platform platform;
	ob_compression compression;
	ob_digest digest; /* of the manifest, in the end */
} import_call;

/* ---- The layer. ---- */

static ocib_errc import_layer(const import_call *call, ob_layer_result *out, ocib_error **err)
{
	const ob_layer_writer_options options = {.compression = call->compression,
						 .threads = ob_context_jobs(call->ctx),
						 .clamp = call->options.has_source_date_epoch != 0,
						 .clamp_sec = call->options.source_date_epoch};
	bool is_stdin = ob_str_eq(call->file, "-");
	ob_autofd int fd = is_stdin ? -1 : open(call->file, O_RDONLY | O_CLOEXEC);

	if (!is_stdin && fd < 0 && errno == ENOENT)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "there is no file '%s'", call->file);
	if (!is_stdin && fd < 0)
		return ob_fail_errno(err, "open '%s'", call->file);
	const char *name = is_stdin ? "standard input" : call->file;
	return ob_import_layer(call->ctx, call->store, is_stdin ? STDIN_FILENO : fd, name, 0,
			       &options, out, err);
}

/* ---- The image. ---- */

static ocib_errc complete_config(const import_call *call, const ob_layer_result *layer,
				 ob_config *config, ocib_error **err)
{
	const char *from = ob_str_eq(call->file, "-") ? "-" : call->file;
	ob_autofree char *comment = call->options.message ? strdup(call->options.message)
							  : ob_str_printf("Imported from %s", from);
	char now[36];

	ob_time_format(call->options.has_source_date_epoch ? call->options.source_date_epoch
							   : time(NULL),
		       0, now);
	free(config->created);
	config->created = strdup(now);
	if (!comment || !config->created || ob_config_add_diff_id(config, &layer->diff_id) ||
	    ob_config_add_history(config, now, NULL, NULL, comment, false))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

static ocib_errc write_config(const import_call *call, const ob_config *config, ob_descriptor *out,
			      ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_CONFIG, "image configuration");

	ocib_errc rc = ob_config_format(config, &text, err);
	if (!rc)
		rc = ob_store_write_blob(call->store, text.data, text.len, &out->digest, err);
	if (rc)
		return rc;
	out->media_type = strdup(OB_MEDIA_OCI_CONFIG);
	out->size = text.len;
	return out->media_type ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc write_manifest(const import_call *call, const ob_manifest *manifest,
				ob_descriptor *out, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "manifest");

	ocib_errc rc = ob_manifest_format(manifest, &text, err);
	if (!rc)
		rc = ob_store_write_blob(call->store, text.data, text.len, &out->digest, err);
	if (rc)
		return rc;
	out->media_type = strdup(OB_MEDIA_OCI_MANIFEST);
	out->size = text.len;
	out->has_platform = true;
	out->platform = call->platform;
	return out->media_type ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc write_image(import_call *call, ob_config *config, const ob_layer_result *layer,
			     ocib_error **err)
{
	ob_auto(ob_manifest) manifest = calloc(1, sizeof(*manifest));
	ob_autodone(ob_descriptor) root = {0};

	if (!manifest)
		return ob_fail_nomem(err);
	manifest->media_type = strdup(OB_MEDIA_OCI_MANIFEST);
	ocib_errc rc = complete_config(call, layer, config, err);
	if (!rc)
		rc = write_config(call, config, &manifest->config, err);
	if (!rc && (!manifest->media_type || ob_manifest_add_layer(manifest, &layer->descriptor)))
		rc = ob_fail_nomem(err);
	if (!rc)
		rc = write_manifest(call, manifest, &root, err);
	if (!rc && call->name)
		rc = ob_store_set_refs(call->store, &call->name, &root, 1, err);
	call->digest = root.digest;
	return rc;
}

static ocib_errc run(void *arg, ocib_error **err)
{
	import_call *call = arg;
	ob_auto(ob_config) config = NULL;
	ob_autodone(ob_layer_result) layer = {0};

	/* The changes first: a mistake in them is told before the work is done. */
	ocib_errc rc = ob_import_changes(call->ctx, call->store, &call->platform,
					 call->options.changes, &config, err);
	if (!rc)
		rc = import_layer(call, &layer, err);
	return rc ? rc : write_image(call, config, &layer, err);
}

static ocib_errc read_options(import_call *call, const ocib_import_options *options,
			      ocib_error **err)
{
	static const char *const names[] = {
		[OB_COMPRESSION_GZIP] = "gzip",
		[OB_COMPRESSION_ZSTD] = "zstd",
		[OB_COMPRESSION_NONE] = "uncompressed",
	};
	ocib_errc rc = ob_options_load(&call->options, options, err);

	if (rc)
		return rc;
	ob_platform_host(&call->platform);
	if (call->options.platform)
		rc = ob_platform_parse(call->options.platform, &call->platform, err);
	if (rc || !call->options.compression)
		return rc;
	for (size_t i = 0; i < OB_ARRAY_LEN(names); i++) {
		if (!ob_str_eq(call->options.compression, names[i]))
			continue;
		call->compression = (ob_compression)i;
		return OCIB_OK;
	}
	return ob_fail(err, OCIB_ERR_INVALID,
		       "there is no compression '%s'; there is gzip, zstd and "
		       "uncompressed",
		       call->options.compression);
}

ocib_errc ocib_import(ocib_context *ctx, ocib_store *store, const char *file, const char *name,
		      const ocib_import_options *options, ocib_image **out, ocib_error **err)
{
	import_call call = {.ctx = ctx, .store = store, .file = file};
	ob_autodone(ob_image_name) parsed = {0};
	ob_autofree char *full = NULL;

	ocib_errc rc = read_options(&call, options, err);
	if (!rc && name)
		rc = ob_image_name_parse(name, &parsed, err);
	if (rc)
		return rc;
	if (name && (parsed.place != OB_PLACE_STORE || !parsed.ref.path || !parsed.ref.tag ||
		     ob_digest_is_set(&parsed.ref.digest)))
		return ob_fail(err, OCIB_ERR_INVALID, "'%s' cannot be the name of a new image",
			       name);
	full = name ? ob_reference_format(&parsed.ref) : NULL;
	if (name && !full)
		return ob_fail_nomem(err);
	call.name = full;
	rc = ob_pumped_call(ctx, run, &call, err);
	if (rc)
		return ob_wrap(err, rc, "import '%s'", file);
	return out ? ocib_image_open(ctx, store, call.digest.text, out, err) : OCIB_OK;
}
