/* image/config_format.c — an image configuration as JSON, as BuildKit's exporter writes it.
 *
 * The document's own members come in bytewise order (there it is a Go map), those of "config" in the
 * order of the specification's struct followed by Docker's additions; empty ones are left out, but for
 * "config" itself and diff_ids, which the specification demands. An empty command is left out too: it
 * means the same as none.
 */
#include "image/config.h"
#include <string.h>
#include "image/go_json.h"

static void set_text(ob_json *json, const char *key, const char *text)
{
	if (text && text[0])
		ob_json_set_str(json, key, text);
}

static void set_int(ob_json *json, const char *key, int64_t value)
{
	if (value)
		ob_json_set_int(json, key, value);
}

static void set_texts(ob_json *json, const char *key, const ob_strlist *list)
{
	if (list->len)
		ob_json_set(json, key, ob_json_new_strlist(list));
}

static void set_rest(ob_json *json, const ob_json *rest)
{
	const ob_json *value;
	const char *key;

	ob_json_foreach (rest, key, value)
		ob_json_set(json, key, ob_json_copy(value));
}

/** A set as Go's map[string]struct{}: {"8000/tcp":{}}, sorted. */
static void set_set(ob_json *json, const char *key, const ob_strlist *set)
{
	ob_json *object;

	if (!set->len)
		return;
	object = ob_json_object();
	for (size_t i = 0; i < set->len; i++)
		ob_json_set(object, set->items[i], ob_json_object());
	ob_json_set(json, key, ob_go_json_sorted(object));
}

static void set_labels(ob_json *json, const ob_strlist *labels)
{
	ob_json *object;

	if (!labels->len)
		return;
	object = ob_json_object();
	for (size_t i = 0; i + 1 < labels->len; i += 2)
		ob_json_set_str(object, labels->items[i], labels->items[i + 1]);
	ob_json_set(json, "Labels", ob_go_json_sorted(object));
}

static void set_healthcheck(ob_json *json, const ob_healthcheck *check)
{
	ob_json *object;

	if (!check->is_set)
		return;
	object = ob_json_object();
	set_texts(object, "Test", &check->test);
	set_int(object, "Interval", check->interval_ns);
	set_int(object, "Timeout", check->timeout_ns);
	set_int(object, "StartPeriod", check->start_period_ns);
	set_int(object, "StartInterval", check->start_interval_ns);
	set_int(object, "Retries", check->retries);
	ob_json_set(json, "Healthcheck", object);
}

static ob_json *config_object(const ob_config *c)
{
	ob_json *json = ob_json_object();

	set_text(json, "User", c->user);
	set_set(json, "ExposedPorts", &c->exposed_ports);
	set_texts(json, "Env", &c->env);
	set_texts(json, "Entrypoint", &c->entrypoint.args);
	set_texts(json, "Cmd", &c->cmd.args);
	set_set(json, "Volumes", &c->volumes);
	set_text(json, "WorkingDir", c->working_dir);
	set_labels(json, &c->labels);
	set_text(json, "StopSignal", c->stop_signal);
	if (c->args_escaped)
		ob_json_set_bool(json, "ArgsEscaped", true);
	set_healthcheck(json, &c->healthcheck);
	set_texts(json, "OnBuild", &c->on_build);
	set_texts(json, "Shell", &c->shell.args);
	set_rest(json, c->config_rest);
	return json;
}

static ob_json *rootfs_object(const ob_config *c)
{
	ob_json *json = ob_json_object(), *ids = ob_json_array();

	for (size_t i = 0; i < c->diff_id_count; i++)
		ob_json_push(ids, ob_json_new_str(c->diff_ids[i].text));
	ob_json_set_str(json, "type", "layers");
	ob_json_set(json, "diff_ids", ids);
	return json;
}

static ob_json *history_array(const ob_config *c)
{
	ob_json *array = ob_json_array();

	for (size_t i = 0; i < c->history_count; i++) {
		const ob_history *h = &c->history[i];
		ob_json *json = ob_json_object();

		set_text(json, "created", h->created);
		set_text(json, "created_by", h->created_by);
		set_text(json, "author", h->author);
		set_text(json, "comment", h->comment);
		if (h->empty_layer)
			ob_json_set_bool(json, "empty_layer", true);
		ob_json_push(array, json);
	}
	return array;
}

ocib_errc ob_config_format(const ob_config *c, ob_buffer *out, ocib_error **err)
{
	ob_json *members = ob_platform_to_json(&c->platform);
	ob_auto(ob_json) json = NULL;
	ocib_errc r;

	set_text(members, "created", c->created);
	set_text(members, "author", c->author);
	ob_json_set(members, "config", config_object(c));
	ob_json_set(members, "rootfs", rootfs_object(c));
	if (c->history_count)
		ob_json_set(members, "history", history_array(c));
	set_rest(members, c->rest);
	json = ob_go_json_sorted(members);
	r = ob_go_json_dump(json, out, err);
	return r == OCIB_OK ? r : ob_wrap(err, r, "image configuration");
}
