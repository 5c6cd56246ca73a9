/* dockerfile/run_mount.c — see run_mount.h.
 *
 * An option is a row of the table: its names, and what it does with a value. Keys are lower-cased.
 * Defaults and what types forbid are settled at the end, because options come in any order.
 */
#include "dockerfile/run_mount.h"
#include <string.h>
#include "base/strings.h"
#include "base/strlist.h"
#include "dockerfile/byte_size.h"
#include "dockerfile/csv_fields.h"

static const char *const type_names[] = {
	[OB_RUN_MOUNT_BIND] = "bind",   [OB_RUN_MOUNT_CACHE] = "cache",
	[OB_RUN_MOUNT_TMPFS] = "tmpfs", [OB_RUN_MOUNT_SECRET] = "secret",
	[OB_RUN_MOUNT_SSH] = "ssh",
};
static const char *const sharing_names[] = {
	[OB_SHARING_SHARED] = "shared",
	[OB_SHARING_PRIVATE] = "private",
	[OB_SHARING_LOCKED] = "locked",
};

/* A mount while its options are read. */
typedef struct mount_reader {
	ob_run_mount mount;
	bool read_only_given;
	const char *key; /* in lower case */
	ocib_error **err;
} mount_reader;

void ob_run_mount_done(ob_run_mount *mount)
{
	free(mount->from);
	free(mount->source);
	free(mount->target);
	free(mount->id);
	free(mount->env);
	*mount = (ob_run_mount){0};
}

static void mount_reader_done(mount_reader *reader)
{
	ob_run_mount_done(&reader->mount);
}

/* " (did you mean 'x'?)" in the error. names[0] is not a name. */
static ocib_errc fail_with_nearest(ocib_error **err, const char *what, const char *value,
				   const char *const *names, size_t count)
{
	const char *nearest = ob_nearest(value, names, count);

	return ob_fail(err, OCIB_ERR_SYNTAX, "%s '%s'%s%s%s", what, value,
		       nearest ? " (did you mean '" : "", nearest ? nearest : "",
		       nearest ? "'?)" : "");
}

static ocib_errc bad_value(mount_reader *reader, const char *value)
{
	return ob_fail(reader->err, OCIB_ERR_SYNTAX, "invalid value for '%s': '%s'", reader->key,
		       value);
}

static ocib_errc wrong_type(mount_reader *reader)
{
	return ob_fail(reader->err, OCIB_ERR_SYNTAX, "unexpected key '%s' for mount type '%s'",
		       reader->key, type_names[reader->mount.type]);
}

/* Index of value in names from 1 on, in any case; 0 when it is not there. */
static unsigned find_name(const char *value, const char *const *names, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		if (ob_str_eq_nocase(value, names[i]))
			return i;
	return 0;
}

static ocib_errc set_text(mount_reader *reader, char **field, const char *value)
{
	free(*field);
	*field = NULL;
	if (!*value)
		return OCIB_OK;
	*field = strdup(value);
	return *field ? OCIB_OK : ob_fail_nomem(reader->err);
}

static ocib_errc set_type(mount_reader *reader, const char *value)
{
	unsigned found = find_name(value, type_names, OB_ARRAY_LEN(type_names));

	if (!found)
		return fail_with_nearest(reader->err, "unsupported mount type", value,
					 type_names + 1, OB_ARRAY_LEN(type_names) - 1);
	reader->mount.type = (ob_run_mount_type)found;
	return OCIB_OK;
}

static ocib_errc set_from(mount_reader *reader, const char *value)
{
	return set_text(reader, &reader->mount.from, value);
}

static ocib_errc set_source(mount_reader *reader, const char *value)
{
	return set_text(reader, &reader->mount.source, value);
}

static ocib_errc set_target(mount_reader *reader, const char *value)
{
	return set_text(reader, &reader->mount.target, value);
}

static ocib_errc set_id(mount_reader *reader, const char *value)
{
	return set_text(reader, &reader->mount.id, value);
}

static ocib_errc set_env(mount_reader *reader, const char *value)
{
	free(reader->mount.env);
	reader->mount.env = strdup(value);
	return reader->mount.env ? OCIB_OK : ob_fail_nomem(reader->err);
}

static ocib_errc set_read_only(mount_reader *reader, const char *value)
{
	if (!ob_parse_bool(value, &reader->mount.read_only))
		return bad_value(reader, value);
	reader->read_only_given = true;
	return OCIB_OK;
}

static ocib_errc set_read_write(mount_reader *reader, const char *value)
{
	ocib_errc r = set_read_only(reader, value);

	reader->mount.read_only = !reader->mount.read_only;
	return r;
}

static ocib_errc set_required(mount_reader *reader, const char *value)
{
	if (reader->mount.type != OB_RUN_MOUNT_SECRET && reader->mount.type != OB_RUN_MOUNT_SSH)
		return wrong_type(reader);
	return ob_parse_bool(value, &reader->mount.required) ? OCIB_OK : bad_value(reader, value);
}

static ocib_errc set_size(mount_reader *reader, const char *value)
{
	if (reader->mount.type != OB_RUN_MOUNT_TMPFS)
		return wrong_type(reader);
	return ob_byte_size_parse(value, &reader->mount.size) ? OCIB_OK : bad_value(reader, value);
}

static ocib_errc set_sharing(mount_reader *reader, const char *value)
{
	unsigned found = find_name(value, sharing_names, OB_ARRAY_LEN(sharing_names));

	if (!found)
		return fail_with_nearest(reader->err, "unsupported sharing value", value,
					 sharing_names + 1, OB_ARRAY_LEN(sharing_names) - 1);
	reader->mount.sharing = (ob_mount_sharing)found;
	return OCIB_OK;
}

static ocib_errc set_number(mount_reader *reader, const char *value, unsigned base, bool *has,
			    uint32_t *out)
{
	uint64_t number;

	if (!ob_parse_u64(value, base, UINT32_MAX, &number))
		return bad_value(reader, value);
	*has = true;
	*out = (uint32_t)number;
	return OCIB_OK;
}

static ocib_errc set_mode(mount_reader *reader, const char *value)
{
	return set_number(reader, value, 8, &reader->mount.has_mode, &reader->mount.mode);
}

static ocib_errc set_uid(mount_reader *reader, const char *value)
{
	return set_number(reader, value, 10, &reader->mount.has_uid, &reader->mount.uid);
}

static ocib_errc set_gid(mount_reader *reader, const char *value)
{
	return set_number(reader, value, 10, &reader->mount.has_gid, &reader->mount.gid);
}

static const struct {
	const char *key;
	ocib_errc (*set)(mount_reader *reader, const char *value);
	bool bare; /* may stand without a value, which then is true */
} options[] = {
	{"type", set_type, false},
	{"from", set_from, false},
	{"source", set_source, false},
	{"src", set_source, false},
	{"target", set_target, false},
	{"dst", set_target, false},
	{"destination", set_target, false},
	{"readonly", set_read_only, true},
	{"ro", set_read_only, true},
	{"readwrite", set_read_write, true},
	{"rw", set_read_write, true},
	{"required", set_required, true},
	{"size", set_size, false},
	{"id", set_id, false},
	{"sharing", set_sharing, false},
	{"mode", set_mode, false},
	{"uid", set_uid, false},
	{"gid", set_gid, false},
	{"env", set_env, false},
};

static ocib_errc unknown_key(const char *key, const char *field, ocib_error **err)
{
	const char *names[OB_ARRAY_LEN(options)], *nearest;

	for (size_t i = 0; i < OB_ARRAY_LEN(options); i++)
		names[i] = options[i].key;
	nearest = ob_nearest(key, names, OB_ARRAY_LEN(names));
	return ob_fail(err, OCIB_ERR_SYNTAX, "unexpected key '%s' in '%s'%s%s%s", key, field,
		       nearest ? " (did you mean '" : "", nearest ? nearest : "",
		       nearest ? "'?)" : "");
}

/* "key=value" or "key"; *key is malloc'ed and in lower case, value borrowed or NULL. */
static int split_field(const char *field, char **key, const char **value)
{
	const char *equals = strchr(field, '=');

	*key = equals ? strndup(field, (size_t)(equals - field)) : strdup(field);
	if (!*key)
		return -1;
	ob_str_lower(*key);
	*value = equals ? equals + 1 : NULL;
	return 0;
}

static ocib_errc set_option(mount_reader *reader, const char *field, const char *value)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(options); i++) {
		if (!ob_str_eq(options[i].key, reader->key))
			continue;
		if (!value && !options[i].bare)
			break;
		return options[i].set(reader, value ? value : "true");
	}
	if (!value)
		return ob_fail(reader->err, OCIB_ERR_SYNTAX,
			       "invalid field '%s': must be a key=value pair", field);
	return unknown_key(reader->key, field, reader->err);
}

static ocib_errc read_field(mount_reader *reader, const char *field, ob_word_expander expand,
			    void *user)
{
	ob_autofree char *key = NULL, *expanded = NULL;
	const char *value;
	ocib_errc r = OCIB_OK;

	if (split_field(field, &key, &value) < 0)
		return ob_fail_nomem(reader->err);
	if (value && expand)
		r = expand(user, value, &expanded, reader->err);
	if (r != OCIB_OK)
		return r;
	reader->key = key;
	return set_option(reader, field, expanded ? expanded : value);
}

static ocib_errc check_owner(const ob_run_mount *mount, ocib_error **err)
{
	const char *key = mount->has_mode  ? "mode"
			  : mount->has_uid ? "uid"
			  : mount->has_gid ? "gid"
					   : NULL;

	if (key && (mount->type == OB_RUN_MOUNT_BIND || mount->type == OB_RUN_MOUNT_TMPFS))
		return ob_fail(err, OCIB_ERR_SYNTAX, "%s not allowed for '%s' type mounts", key,
			       type_names[mount->type]);
	return OCIB_OK;
}

static ocib_errc check_secret(const ob_run_mount *mount, ocib_error **err)
{
	const char *wrong = NULL;

	if (mount->from)
		wrong = "secret mount should not have a from";
	else if (mount->sharing)
		wrong = "secret mount should not define sharing";
	else if (!mount->source && !mount->target && !mount->id)
		wrong = "invalid secret mount: one of source, target and id is required";
	else if (mount->source && mount->id)
		wrong = "both source and id can't be set in a secret mount";
	return wrong ? ob_fail(err, OCIB_ERR_SYNTAX, "%s", wrong) : OCIB_OK;
}

static ocib_errc settle(mount_reader *reader)
{
	ob_run_mount *mount = &reader->mount;
	ocib_errc r = check_owner(mount, reader->err);

	if (!reader->read_only_given)
		mount->read_only =
			mount->type != OB_RUN_MOUNT_CACHE && mount->type != OB_RUN_MOUNT_TMPFS;
	if (r == OCIB_OK && mount->type == OB_RUN_MOUNT_SECRET)
		r = check_secret(mount, reader->err);
	if (r == OCIB_OK && mount->sharing && mount->type != OB_RUN_MOUNT_CACHE)
		r = ob_fail(reader->err, OCIB_ERR_SYNTAX, "sharing set for a '%s' mount",
			    type_names[mount->type]);
	return r;
}

ocib_errc ob_run_mount_parse(const char *text, ob_word_expander expand, void *user,
			     ob_run_mount *out, ocib_error **err)
{
	ob_autodone(mount_reader) reader = {.mount = {.type = OB_RUN_MOUNT_BIND}, .err = err};
	ob_autodone(ob_strlist) fields = {0};
	ocib_errc r = ob_csv_fields(text, &fields, err);

	for (size_t i = 0; i < fields.len && r == OCIB_OK; i++)
		r = read_field(&reader, fields.items[i], expand, user);
	if (r == OCIB_OK)
		r = settle(&reader);
	if (r != OCIB_OK)
		return r;
	*out = reader.mount;
	reader.mount = (ob_run_mount){0};
	return OCIB_OK;
}

ocib_errc ob_run_mount_check(const char *text, ocib_error **err)
{
	ob_autodone(ob_strlist) fields = {0};
	ocib_errc r = ob_csv_fields(text, &fields, err);

	for (size_t i = 0; i < fields.len && r == OCIB_OK; i++) {
		ob_autofree char *key = NULL;
		const char *value, *dollar;

		if (split_field(fields.items[i], &key, &value) < 0)
			return ob_fail_nomem(err);
		dollar = value && ob_str_eq(key, "from") ? strchr(value, '$') : NULL;
		if (dollar && dollar[1])
			r = ob_fail(err, OCIB_ERR_SYNTAX,
				    "'from' doesn't support variable expansion: define an alias "
				    "stage instead");
	}
	return r;
}

ocib_errc ob_run_mount_from(const char *text, char **out, ocib_error **err)
{
	ob_autodone(ob_strlist) fields = {0};
	ob_autofree char *from = NULL;
	ocib_errc r = ob_csv_fields(text, &fields, err);

	for (size_t i = 0; i < fields.len && r == OCIB_OK; i++) {
		ob_autofree char *key = NULL;
		const char *value;

		if (split_field(fields.items[i], &key, &value) < 0)
			return ob_fail_nomem(err);
		if (!value || !ob_str_eq(key, "from"))
			continue;
		free(from);
		from = strdup(value);
		if (!from)
			return ob_fail_nomem(err);
	}
	if (r == OCIB_OK && from && *from)
		*out = ob_take_ptr(from);
	return r;
}

void ob_run_device_done(ob_run_device *device)
{
	free(device->name);
	*device = (ob_run_device){0};
}

/* A field that is no option is the name, once. */
static ocib_errc set_device_name(ob_run_device *device, const char *name, const char *field,
				 ocib_error **err)
{
	static const char *const keys[] = {"name", "required"};

	if (device->name && name != field)
		return ob_fail(err, OCIB_ERR_SYNTAX, "device name already set to '%s'",
			       device->name);
	if (device->name && !strchr(field, '='))
		return ob_fail(err, OCIB_ERR_SYNTAX, "invalid field '%s': must be a key=value pair",
			       field);
	if (device->name)
		return fail_with_nearest(err, "unexpected key in", field, keys, OB_ARRAY_LEN(keys));
	if (!*name)
		return OCIB_OK;
	device->name = strdup(name);
	return device->name ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_run_device_parse(const char *text, ob_run_device *out, ocib_error **err)
{
	ob_autodone(ob_run_device) device = {0};
	ob_autodone(ob_strlist) fields = {0};
	ocib_errc r = ob_csv_fields(text, &fields, err);

	for (size_t i = 0; i < fields.len && r == OCIB_OK; i++) {
		ob_autofree char *key = NULL;
		const char *field = fields.items[i], *value;

		if (split_field(field, &key, &value) < 0)
			return ob_fail_nomem(err);
		if (!ob_str_eq(key, "required"))
			r = set_device_name(&device,
					    value && ob_str_eq(key, "name") ? value : field, field,
					    err);
		else if (!ob_parse_bool(value ? value : "true", &device.required))
			r = ob_fail(err, OCIB_ERR_SYNTAX, "invalid value for 'required': '%s'",
				    value);
	}
	if (r != OCIB_OK)
		return r;
	*out = device;
	device = (ob_run_device){0};
	return OCIB_OK;
}
