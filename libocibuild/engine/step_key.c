/* engine/step_key.c — see step_key.h.
 *
 * The form is JSON with sorted keys and no spaces, and begins with a version, so that a change of what a
 * step means cannot meet the keys of before. Lists keep their order: that of env decides which of two
 * equal names wins. Inline files go in as their digests, which keeps keys small. Text that is not UTF-8
 * goes in as hexadecimal: JSON would make different bytes the same.
 */
#include "engine/step_key.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"

#define STEP_KEY_VERSION 1

static ob_json *text_value(const char *text)
{
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return ob_json_new_null();
	if (ob_utf8_valid(text, len))
		return ob_json_new_strn(text, len);
	ob_autofree char *hex = malloc(2 * len + 1);
	if (!hex)
		return NULL;
	ob_hex_encode((const uint8_t *)text, len, hex);
	ob_json *object = ob_json_object();
	ob_json_set_str(object, "bytes", hex);
	return object;
}

static ob_json *list_value(const ob_strlist *list)
{
	ob_json *array = ob_json_array();

	for (size_t i = 0; i < list->len; i++)
		ob_json_push(array, text_value(list->items[i]));
	return array;
}

static ob_json *content_value(const char *name, const char *data, size_t len)
{
	ob_json *object = ob_json_object();
	uint8_t digest[OB_SHA256_LEN];
	char hex[2 * OB_SHA256_LEN + 1];

	ob_sha256(data, len, digest);
	ob_hex_encode(digest, sizeof(digest), hex);
	ob_json_set(object, "name", text_value(name));
	ob_json_set_str(object, "content", hex);
	return object;
}

/* What a cache holds, and where it is kept, is not in the key; nor is what a secret is, or who
 * signs. */
static ob_json *mount_value(const ob_step_mount *mount)
{
	ob_json *object = ob_json_object();

	ob_json_set_int(object, "type", (int64_t)mount->type);
	ob_json_set(object, "target", text_value(mount->target));
	ob_json_set_bool(object, "read_only", mount->read_only);
	ob_json_set_int(object, "size", (int64_t)mount->size);
	ob_json_set_int(object, "mode", mount->mode);
	ob_json_set_int(object, "uid", mount->uid);
	ob_json_set_int(object, "gid", mount->gid);
	if (mount->type == OB_RUN_MOUNT_SECRET || mount->type == OB_RUN_MOUNT_SSH) {
		ob_json_set(object, "id", text_value(mount->id));
		ob_json_set(object, "env", text_value(mount->env));
		ob_json_set_bool(object, "required", mount->required);
	}
	return object;
}

static void set_mounts(ob_json *json, const ob_run_op *run)
{
	ob_json *mounts = ob_json_array();

	for (size_t i = 0; i < run->mount_count; i++)
		ob_json_push(mounts, mount_value(&run->mounts[i]));
	ob_json_set(json, "mounts", mounts);
}

static void set_run(ob_json *json, const ob_step *step)
{
	const ob_run_op *run = &step->run;
	ob_json *files = ob_json_array();

	for (size_t i = 0; i < run->file_count; i++)
		ob_json_push(files, content_value(run->files[i].name, run->files[i].content,
						  run->files[i].len));
	ob_json_set(json, "argv", list_value(&run->argv));
	ob_json_set(json, "env", list_value(&run->env));
	ob_json_set(json, "cwd", text_value(run->cwd));
	ob_json_set(json, "user", text_value(run->user));
	ob_json_set_int(json, "network", (int64_t)run->network);
	if (run->hostname)
		ob_json_set(json, "hostname", text_value(run->hostname));
	if (run->insecure)
		ob_json_set_bool(json, "insecure", true);
	ob_json_set(json, "files", files);
	if (run->mount_count)
		set_mounts(json, run);
}

static void set_copy(ob_json *json, const ob_step *step)
{
	const ob_copy_op *copy = &step->copy;
	ob_json *sources = ob_json_array();

	for (size_t i = 0; i < copy->source_count; i++) {
		const ob_copy_source *source = &copy->sources[i];
		ob_json *value = content_value(source->path, source->data ? source->data : "",
					       source->data_len);

		ob_json_set_int(value, "kind", (int64_t)source->kind);
		ob_json_push(sources, value);
	}
	ob_json_set(json, "sources", sources);
	ob_json_set(json, "dest", text_value(copy->dest));
	ob_json_set(json, "chown", text_value(copy->chown));
	ob_json_set(json, "chmod", text_value(copy->chmod));
	ob_json_set(json, "checksum", text_value(copy->checksum));
	ob_json_set(json, "exclude", list_value(&copy->exclude));
	ob_json_set_int(json, "unpack", copy->unpack);
	ob_json_set_bool(json, "add", copy->is_add);
	ob_json_set_bool(json, "keep_owner", copy->keep_owner);
	ob_json_set_bool(json, "link", copy->link);
	ob_json_set_bool(json, "parents", copy->parents);
	ob_json_set_bool(json, "keep_git_dir", copy->keep_git_dir);
	if (copy->as_mount)
		ob_json_set_bool(json, "as_mount", true);
}

static void set_workdir(ob_json *json, const ob_step *step)
{
	ob_json_set(json, "path", text_value(step->workdir.path));
	ob_json_set(json, "user", text_value(step->workdir.user));
}

static const struct {
	const char *name;
	void (*set)(ob_json *json, const ob_step *step);
} ops[] = {
	[OB_STEP_RUN] = {"run", set_run},
	[OB_STEP_COPY] = {"copy", set_copy},
	[OB_STEP_WORKDIR] = {"workdir", set_workdir},
};

ocib_errc ob_step_canonical(const ob_step *step, ob_buffer *out, ocib_error **err)
{
	ob_auto(ob_json) json = ob_json_object();

	ob_json_set_int(json, "version", STEP_KEY_VERSION);
	ob_json_set_str(json, "op", ops[step->op].name);
	ops[step->op].set(json, step);
	return ob_json_dump(json, OB_JSON_CANONICAL, out, err);
}

ocib_errc ob_step_digest(const ob_step *step, uint8_t out[OB_SHA256_LEN], ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_PLAN, "step key");
	ocib_errc r = ob_step_canonical(step, &text, err);

	if (!r)
		ob_sha256(text.data, text.len, out);
	return r;
}
