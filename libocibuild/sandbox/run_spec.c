/* sandbox/run_spec.c — the description of one command as an object and as JSON.
 *
 * The engine fills a spec in its own process, the worker reads it from a frame: both ends are this
 * file. Member names are those of the struct. What comes in is checked for form only; what it asks for
 * is checked where it is used.
 */
#include <string.h>
#include "sandbox/json_bytes.h"
#include "base/strings.h"
#include "sandbox/sandbox.h"

ob_run_spec *ob_run_spec_new(void)
{
	return calloc(1, sizeof(ob_run_spec));
}

static void mount_done(ob_mount *mount)
{
	free(mount->source);
	free(mount->inside);
	ob_strlist_done(&mount->lowers);
	free(mount->upper);
	free(mount->work);
	free(mount->target);
	if (mount->data)
		explicit_bzero(mount->data, mount->data_len);
	free(mount->data);
}

void ob_port_list_done(ob_port_list *ports)
{
	for (size_t i = 0; i < ports->len; i++)
		free(ports->items[i].address);
	free(ports->items);
	*ports = (ob_port_list){0};
}

ob_run_spec *ob_run_spec_free(ob_run_spec *spec)
{
	if (!spec)
		return NULL;
	ob_strlist_done(&spec->lowers);
	ob_strlist_done(&spec->argv);
	ob_strlist_done(&spec->env);
	ob_strlist_done(&spec->extra_hosts);
	ob_strlist_done(&spec->ulimits);
	free(spec->upper);
	free(spec->work);
	free(spec->cwd);
	free(spec->user);
	free(spec->hostname);
	free(spec->arch);
	for (size_t i = 0; i < spec->mount_count; i++)
		mount_done(&spec->mounts[i]);
	free(spec->mounts);
	ob_port_list_done(&spec->ports);
	free(spec);
	return NULL;
}

ocib_errc ob_run_spec_set_platform(ob_run_spec *spec, const ob_platform *platform, ocib_error **err)
{
	ob_platform host, normal = *platform;
	ob_auto(ocib_error) unknown = NULL;
	char text[128];

	ob_platform_host(&host);
	ob_platform_format(platform, text);
	(void)ob_platform_parse(text, &normal, &unknown);
	if (!normal.arch[0] || ob_str_eq(normal.arch, host.arch))
		return OCIB_OK;
	spec->arch = strdup(normal.arch);
	return spec->arch ? OCIB_OK : ob_fail_nomem(err);
}

static ob_json *mount_to_json(const ob_mount *mount)
{
	ob_json *json = ob_json_object();

	ob_json_set_int(json, "kind", mount->kind);
	ob_json_set_path(json, "source", mount->source);
	ob_json_set_path(json, "inside", mount->inside);
	ob_json_set_paths(json, "lowers", &mount->lowers);
	ob_json_set_path(json, "upper", mount->upper);
	ob_json_set_path(json, "work", mount->work);
	ob_json_set_path(json, "target", mount->target);
	ob_json_set_bool(json, "read_only", mount->read_only);
	ob_json_set_int(json, "size", (int64_t)mount->size);
	ob_json_set_int(json, "mode", mount->mode);
	ob_json_set_int(json, "uid", mount->uid);
	ob_json_set_int(json, "gid", mount->gid);
	if (mount->data)
		ob_json_set_bytes(json, "data", mount->data, mount->data_len);
	return json;
}

static ob_json *ports_to_json(const ob_port_list *ports)
{
	ob_json *array = ob_json_array();

	for (size_t i = 0; i < ports->len; i++) {
		ob_json *json = ob_json_object();

		ob_json_set_path(json, "address", ports->items[i].address);
		ob_json_set_int(json, "outside", ports->items[i].outside);
		ob_json_set_int(json, "inside", ports->items[i].inside);
		ob_json_push(array, json);
	}
	return array;
}

ob_json *ob_run_spec_to_json(const ob_run_spec *spec)
{
	ob_json *json = ob_json_object(), *mounts = ob_json_array();

	ob_json_set_paths(json, "lowers", &spec->lowers);
	ob_json_set_path(json, "upper", spec->upper);
	ob_json_set_path(json, "work", spec->work);
	ob_json_set_bool(json, "read_only_root", spec->read_only_root);
	ob_json_set_paths(json, "argv", &spec->argv);
	ob_json_set_paths(json, "env", &spec->env);
	ob_json_set_path(json, "cwd", spec->cwd);
	ob_json_set_path(json, "user", spec->user);
	ob_json_set_path(json, "hostname", spec->hostname);
	ob_json_set_path(json, "arch", spec->arch);
	ob_json_set_int(json, "network", spec->network);
	ob_json_set_bool(json, "insecure", spec->insecure);
	ob_json_set_bool(json, "no_new_privs", spec->no_new_privs);
	ob_json_set_int(json, "shm_size", (int64_t)spec->shm_size);
	ob_json_set_paths(json, "extra_hosts", &spec->extra_hosts);
	ob_json_set_paths(json, "ulimits", &spec->ulimits);
	for (size_t i = 0; i < spec->mount_count; i++)
		ob_json_push(mounts, mount_to_json(&spec->mounts[i]));
	ob_json_set(json, "mounts", mounts);
	ob_json_set_bool(json, "init_env", spec->init_env);
	ob_json_set_bool(json, "terminal", spec->terminal);
	ob_json_set_int(json, "rows", spec->rows);
	ob_json_set_int(json, "columns", spec->columns);
	ob_json_set_bool(json, "attended", spec->attended);
	ob_json_set(json, "ports", ports_to_json(&spec->ports));
	return json;
}

static uint64_t get_number(const ob_json *json, const char *key)
{
	int64_t value = 0;

	return ob_json_get_i64(json, key, &value) && value > 0 ? (uint64_t)value : 0;
}

static ocib_errc mount_from_json(const ob_json *json, ob_mount *mount, ocib_error **err)
{
	ocib_errc r = ob_json_take_path(json, "source", &mount->source, err);

	if (r == OCIB_OK)
		r = ob_json_take_path(json, "inside", &mount->inside, err);
	if (r == OCIB_OK)
		r = ob_json_take_paths(json, "lowers", &mount->lowers, err);
	if (r == OCIB_OK)
		r = ob_json_take_path(json, "upper", &mount->upper, err);
	if (r == OCIB_OK)
		r = ob_json_take_path(json, "work", &mount->work, err);
	if (r == OCIB_OK)
		r = ob_json_take_bytes(json, "target", &mount->target, NULL, err);
	if (r == OCIB_OK && ob_json_get(json, "data"))
		r = ob_json_take_bytes(json, "data", &mount->data, &mount->data_len, err);
	if (r < 0)
		return r;
	mount->kind = (ob_mount_kind)get_number(json, "kind");
	mount->read_only = ob_json_get_bool(json, "read_only");
	mount->size = get_number(json, "size");
	mount->mode = (uint32_t)get_number(json, "mode");
	mount->uid = (uint32_t)get_number(json, "uid");
	mount->gid = (uint32_t)get_number(json, "gid");
	if (mount->kind < OB_MOUNT_BIND || mount->kind > OB_MOUNT_SOCKET)
		return ob_fail(err, OCIB_ERR_CORRUPT, "mount at '%s' is of no known kind",
			       mount->target);
	return OCIB_OK;
}

static ocib_errc mounts_from_json(const ob_json *array, ob_run_spec *spec, ocib_error **err)
{
	size_t count = ob_json_len(array);

	spec->mounts = calloc(count ? count : 1, sizeof(*spec->mounts));
	if (!spec->mounts)
		return ob_fail_nomem(err);
	for (spec->mount_count = 0; spec->mount_count < count; spec->mount_count++) {
		ob_mount *mount = &spec->mounts[spec->mount_count];
		ocib_errc r = mount_from_json(ob_json_at(array, spec->mount_count), mount, err);

		if (r < 0) {
			mount_done(mount);
			return r;
		}
	}
	return OCIB_OK;
}

static ocib_errc ports_from_json(const ob_json *array, ob_port_list *ports, ocib_error **err)
{
	size_t count = ob_json_len(array);

	if (!count)
		return OCIB_OK;
	ports->items = calloc(count, sizeof(*ports->items));
	if (!ports->items)
		return ob_fail_nomem(err);
	for (; ports->len < count; ports->len++) {
		const ob_json *json = ob_json_at(array, ports->len);
		ob_port *port = &ports->items[ports->len];
		ocib_errc r = ob_json_take_path(json, "address", &port->address, err);

		if (r < 0)
			return r;
		port->outside = (uint16_t)get_number(json, "outside");
		port->inside = (uint16_t)get_number(json, "inside");
	}
	return OCIB_OK;
}

static ocib_errc texts_from_json(const ob_json *json, ob_run_spec *spec, ocib_error **err)
{
	const struct {
		const char *key;
		char **text;
		ob_strlist *list;
	} members[] = {
		{"lowers", NULL, &spec->lowers},   {"argv", NULL, &spec->argv},
		{"env", NULL, &spec->env},         {"extra_hosts", NULL, &spec->extra_hosts},
		{"ulimits", NULL, &spec->ulimits}, {"upper", &spec->upper, NULL},
		{"work", &spec->work, NULL},       {"cwd", &spec->cwd, NULL},
		{"user", &spec->user, NULL},       {"hostname", &spec->hostname, NULL},
		{"arch", &spec->arch, NULL},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		ocib_errc r =
			members[i].list
				? ob_json_take_paths(json, members[i].key, members[i].list, err)
				: ob_json_take_path(json, members[i].key, members[i].text, err);
		if (r < 0)
			return r;
	}
	return OCIB_OK;
}

ocib_errc ob_run_spec_from_json(const ob_json *json, ob_run_spec **out, ocib_error **err)
{
	ob_auto(ob_run_spec) spec = ob_run_spec_new();

	if (!spec)
		return ob_fail_nomem(err);
	ocib_errc r = texts_from_json(json, spec, err);
	if (r == OCIB_OK)
		r = mounts_from_json(ob_json_get(json, "mounts"), spec, err);
	if (r == OCIB_OK)
		r = ports_from_json(ob_json_get(json, "ports"), &spec->ports, err);
	if (r < 0)
		return ob_wrap(err, r, "run request");
	spec->read_only_root = ob_json_get_bool(json, "read_only_root");
	spec->network = (ob_network)get_number(json, "network");
	spec->insecure = ob_json_get_bool(json, "insecure");
	spec->no_new_privs = ob_json_get_bool(json, "no_new_privs");
	spec->shm_size = get_number(json, "shm_size");
	spec->init_env = ob_json_get_bool(json, "init_env");
	spec->terminal = ob_json_get_bool(json, "terminal");
	spec->attended = ob_json_get_bool(json, "attended");
	spec->rows = (uint16_t)get_number(json, "rows");
	spec->columns = (uint16_t)get_number(json, "columns");
	if (!spec->argv.len || !spec->upper || !spec->work)
		return ob_fail(err, OCIB_ERR_INVALID,
			       "run request without a command or a directory");
	*out = ob_take_ptr(spec);
	return OCIB_OK;
}
