/* image/config_parse.c — an image configuration out of its JSON.
 *
 * Reads what the image specification and Docker define, with Go's leniency for null and with its names
 * exactly spelled. Optional texts that are empty are the same as absent ones, because that is how every
 * writer in use (omitempty) writes them. Unknown members are kept, in the document and in "config".
 */
#include "image/config.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "image/go_json.h"

static const char *const KNOWN[] = {"architecture", "os",     "os.version", "variant", "created",
				    "author",       "config", "rootfs",     "history", NULL};
static const char *const KNOWN_CONFIG[] = {
	"User",   "ExposedPorts", "Env",         "Entrypoint",  "Cmd",     "Volumes", "WorkingDir",
	"Labels", "StopSignal",   "ArgsEscaped", "Healthcheck", "OnBuild", "Shell",   NULL};

/** A command is set when it is an array, be it an empty one. */
static ocib_errc read_command(const ob_json *json, const char *key, ob_command *out,
			      ocib_error **err)
{
	out->is_set = ob_json_is_array(ob_json_get(json, key));
	return ob_go_json_read_texts(json, key, &out->args, err);
}

/** {"8000/tcp": {}, …} to its keys, sorted. */
static ocib_errc read_set(const ob_json *json, const char *key, ob_strlist *out, ocib_error **err)
{
	const ob_json *set, *value;
	const char *name;
	ocib_errc r = ob_go_json_read_object(json, key, &set, err);

	if (r != OCIB_OK)
		return r;
	ob_json_foreach (set, name, value) {
		if (!ob_json_is_object(value) && !ob_json_is_null(value))
			return ob_fail(err, OCIB_ERR_CORRUPT, "'%s': '%.100s' is not an object",
				       key, name);
		if (ob_strlist_add(out, name) < 0)
			return ob_fail_nomem(err);
	}
	ob_strlist_sort(out);
	return OCIB_OK;
}

static ocib_errc read_labels(const ob_json *json, ob_strlist *out, ocib_error **err)
{
	const ob_json *labels, *value;
	const char *key;
	ocib_errc r = ob_go_json_read_object(json, "Labels", &labels, err);

	if (r != OCIB_OK)
		return r;
	ob_json_foreach (labels, key, value) {
		if (!ob_json_str(value))
			return ob_fail(err, OCIB_ERR_CORRUPT, "label '%.100s' is not a string",
				       key);
		if (ob_strlist_add(out, key) < 0 || ob_strlist_add(out, ob_json_str(value)) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

static ocib_errc read_healthcheck(const ob_json *json, ob_healthcheck *out, ocib_error **err)
{
	const ob_json *check;
	ocib_errc r = ob_go_json_read_object(json, "Healthcheck", &check, err);

	if (r != OCIB_OK || !check)
		return r;
	out->is_set = true;
	r = ob_go_json_read_texts(check, "Test", &out->test, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_int(check, "Interval", &out->interval_ns, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_int(check, "Timeout", &out->timeout_ns, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_int(check, "StartPeriod", &out->start_period_ns, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_int(check, "StartInterval", &out->start_interval_ns, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_int(check, "Retries", &out->retries, err);
	return r == OCIB_OK ? r : ob_wrap(err, r, "'Healthcheck'");
}

/** What to run and as whom. */
static ocib_errc read_process(const ob_json *json, ob_config *c, ocib_error **err)
{
	ocib_errc r = ob_go_json_read_text(json, "User", &c->user, err);

	if (r == OCIB_OK)
		r = ob_go_json_read_text(json, "WorkingDir", &c->working_dir, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_text(json, "StopSignal", &c->stop_signal, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_texts(json, "Env", &c->env, err);
	if (r == OCIB_OK)
		r = read_command(json, "Entrypoint", &c->entrypoint, err);
	if (r == OCIB_OK)
		r = read_command(json, "Cmd", &c->cmd, err);
	return r;
}

/** What only Docker and builders look at, and the sets. */
static ocib_errc read_settings(const ob_json *json, ob_config *c, ocib_error **err)
{
	ocib_errc r = read_set(json, "ExposedPorts", &c->exposed_ports, err);

	if (r == OCIB_OK)
		r = read_set(json, "Volumes", &c->volumes, err);
	if (r == OCIB_OK)
		r = read_labels(json, &c->labels, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_bool(json, "ArgsEscaped", &c->args_escaped, err);
	if (r == OCIB_OK)
		r = read_healthcheck(json, &c->healthcheck, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_texts(json, "OnBuild", &c->on_build, err);
	if (r == OCIB_OK)
		r = read_command(json, "Shell", &c->shell, err);
	return r;
}

static ocib_errc read_config(const ob_json *json, ob_config *c, ocib_error **err)
{
	const ob_json *config;
	ocib_errc r = ob_go_json_read_object(json, "config", &config, err);

	if (r != OCIB_OK || !config)
		return r;
	r = read_process(config, c, err);
	if (r == OCIB_OK)
		r = read_settings(config, c, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_rest(config, KNOWN_CONFIG, &c->config_rest, err);
	return r == OCIB_OK ? r : ob_wrap(err, r, "'config'");
}

static ocib_errc read_rootfs(const ob_json *json, ob_config *c, ocib_error **err)
{
	const ob_json *rootfs, *ids;
	ob_autofree char *type = NULL;
	ocib_errc r = ob_go_json_read_object(json, "rootfs", &rootfs, err);

	if (r == OCIB_OK)
		r = ob_go_json_read_text(rootfs, "type", &type, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_array(rootfs, "diff_ids", OB_LIMIT_MANIFEST_LAYERS, &ids, err);
	if (r == OCIB_OK && type && !ob_str_eq(type, "layers"))
		r = ob_fail(err, OCIB_ERR_CORRUPT, "'rootfs': its type is '%.100s', not 'layers'",
			    type);
	if (r != OCIB_OK)
		return r;
	for (size_t i = 0; i < ob_json_len(ids); i++) {
		const char *text = ob_json_str(ob_json_at(ids, i));
		ob_digest id;

		r = ob_digest_parse(text ? text : "", &id, err);
		if (r != OCIB_OK)
			return ob_wrap(err, r, "'rootfs': diff id %zu", i + 1);
		if (ob_config_add_diff_id(c, &id) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

static ocib_errc read_history_entry(const ob_json *json, ob_history *h, ocib_error **err)
{
	ocib_errc r;

	if (!ob_json_is_object(json))
		return ob_fail(err, OCIB_ERR_CORRUPT, "not an object");
	r = ob_go_json_read_text(json, "created", &h->created, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_text(json, "created_by", &h->created_by, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_text(json, "author", &h->author, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_text(json, "comment", &h->comment, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_bool(json, "empty_layer", &h->empty_layer, err);
	return r;
}

static ocib_errc read_history(const ob_json *json, ob_config *c, ocib_error **err)
{
	const ob_json *entries;
	ocib_errc r =
		ob_go_json_read_array(json, "history", OB_LIMIT_CONFIG_HISTORY, &entries, err);
	size_t count;

	if (r != OCIB_OK || !entries || !(count = ob_json_len(entries)))
		return r;
	c->history = calloc(count, sizeof(*c->history));
	if (!c->history)
		return ob_fail_nomem(err);
	while (r == OCIB_OK && c->history_count < count) {
		size_t i = c->history_count++;

		r = read_history_entry(ob_json_at(entries, i), &c->history[i], err);
	}
	return r == OCIB_OK ? r : ob_wrap(err, r, "'history': entry %zu", c->history_count);
}

static ocib_errc read_document(const ob_json *json, ob_config *c, ocib_error **err)
{
	ocib_errc r = ob_platform_from_json(json, &c->platform, err);

	if (r == OCIB_OK)
		r = ob_go_json_read_text(json, "created", &c->created, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_text(json, "author", &c->author, err);
	if (r == OCIB_OK)
		r = read_config(json, c, err);
	if (r == OCIB_OK)
		r = read_rootfs(json, c, err);
	if (r == OCIB_OK)
		r = read_history(json, c, err);
	if (r == OCIB_OK)
		r = ob_go_json_read_rest(json, KNOWN, &c->rest, err);
	return r;
}

ocib_errc ob_config_parse(const char *data, size_t len, ob_config **out, ocib_error **err)
{
	ob_auto(ob_json) json = NULL;
	ob_auto(ob_config) config = ob_config_new();
	ocib_errc r;

	if (!config)
		return ob_fail_nomem(err);
	if (len > OB_LIMIT_CONFIG)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "image configuration: %zu bytes; the limit is %llu", len,
			       OB_LIMIT_CONFIG);
	r = ob_json_parse(data, len, &json, err);
	if (r == OCIB_OK && !ob_json_is_object(json))
		r = ob_fail(err, OCIB_ERR_CORRUPT, "not a JSON object");
	if (r == OCIB_OK)
		r = read_document(json, config, err);
	if (r != OCIB_OK)
		return ob_wrap(err, r, "image configuration");
	*out = ob_take_ptr(config);
	return OCIB_OK;
}
