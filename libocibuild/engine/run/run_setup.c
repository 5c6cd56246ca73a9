/* engine/run/run_setup.c — what docker run makes of its options and an image's configuration.
 *
 * Options go over the image's values. A variable without a value takes that of this process; where it has
 * none, --env removes the image's and a line of a file says nothing.
 */
#include "engine/run/run_setup.h"
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "engine/run/env_file.h"
#include "engine/run/port_spec.h"
#include "engine/run/volume_spec.h"
#include "engine/signal_name.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static ocib_errc copy_list(ob_strlist *to, const char *const *from, ocib_error **err)
{
	for (; from && *from; from++) {
		if (ob_strlist_add(to, *from) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

/* ENTRYPOINT and CMD as docker run combines them: a new entry point, also an empty one, drops CMD. */
static ocib_errc set_argv(ob_run_setup *setup, ocib_error **err)
{
	const ocib_run_options *options = setup->options;
	bool has_args = options->args && options->args[0];
	ob_strlist *argv = &setup->spec->argv;
	ocib_errc r = OCIB_OK;

	if (options->entrypoint)
		r = copy_list(argv, options->entrypoint, err);
	else if (ob_strlist_copy(argv, &setup->config->entrypoint.args) < 0)
		r = ob_fail_nomem(err);
	if (r == OCIB_OK && has_args)
		r = copy_list(argv, options->args, err);
	else if (r == OCIB_OK && !options->entrypoint &&
		 ob_strlist_copy(argv, &setup->config->cmd.args) < 0)
		r = ob_fail_nomem(err);
	if (r == OCIB_OK && !argv->len)
		r = ob_fail(err, OCIB_ERR_INVALID, "image '%s' has no command: give one",
			    setup->image);
	return r;
}

/* "KEY=VALUE" or "KEY". @p unset: a KEY that nobody knows the value of is taken away. */
static ocib_errc set_variable(ob_strlist *env, const char *text, bool unset, ocib_error **err)
{
	const char *equals = strchr(text, '=');
	ob_autofree char *key = strndup(text, strcspn(text, "="));
	const char *value = equals ? equals + 1 : getenv(text);

	if (!key)
		return ob_fail_nomem(err);
	if (!*key)
		return ob_fail(err, OCIB_ERR_INVALID,
			       "an environment variable is KEY or KEY=VALUE, not '%s'", text);
	if (value && ob_env_set(env, key, value) < 0)
		return ob_fail_nomem(err);
	if (!value && unset)
		ob_env_unset(env, key);
	return OCIB_OK;
}

static ocib_errc read_env_file(const char *path, ob_strlist *env, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_ENVIRONMENT, "environment file");
	ob_autodone(ob_strlist) lines = {0};

	ocib_errc r = ob_read_file(AT_FDCWD, path, &text, err);
	if (r == OCIB_OK && text.len)
		r = ob_env_file_parse(text.data, text.len, path, &lines, err);
	for (size_t i = 0; i < lines.len && r == OCIB_OK; i++)
		r = set_variable(env, lines.items[i], false, err);
	return r;
}

static ocib_errc set_env(ob_run_setup *setup, ocib_error **err)
{
	const ocib_run_options *options = setup->options;
	ob_strlist *env = &setup->spec->env;
	ocib_errc r = OCIB_OK;

	if (ob_strlist_copy(env, &setup->config->env) < 0)
		return ob_fail_nomem(err);
	if (!ob_env_get(env, "PATH") && ob_env_set(env, "PATH", DEFAULT_PATH) < 0)
		return ob_fail_nomem(err);
	if (options->terminal && !ob_env_get(env, "TERM") && ob_env_set(env, "TERM", "xterm") < 0)
		return ob_fail_nomem(err);
	for (const char *const *path = options->env_files; path && *path && r == OCIB_OK; path++)
		r = read_env_file(*path, env, err);
	for (const char *const *pair = options->env; pair && *pair && r == OCIB_OK; pair++)
		r = set_variable(env, *pair, true, err);
	return r;
}

static bool has_target(const ob_run_spec *spec, size_t count, const char *target)
{
	for (size_t i = 0; i < count; i++)
		if (ob_str_eq(spec->mounts[i].target, target))
			return true;
	return false;
}

static ocib_errc set_volumes(ob_run_setup *setup, ocib_error **err)
{
	const char *const *volumes = setup->options->volumes;
	ob_run_spec *spec = setup->spec;
	size_t count = 0;

	while (volumes && volumes[count])
		count++;
	spec->mounts = calloc(count + 1, sizeof(*spec->mounts));
	if (!spec->mounts)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < count; i++) {
		ob_mount *mount = &spec->mounts[spec->mount_count++];
		ocib_errc r = ob_volume_spec_parse(volumes[i], mount, err);

		if (r < 0)
			return r;
		if (has_target(spec, i, mount->target))
			return ob_fail(err, OCIB_ERR_INVALID,
				       "volume '%s': there is one at '%s' already", volumes[i],
				       mount->target);
	}
	return OCIB_OK;
}

static ocib_errc set_network(ob_run_setup *setup, ocib_error **err)
{
	const ocib_run_options *options = setup->options;
	ocib_errc r = OCIB_OK;

	for (const char *const *port = options->publish; port && *port && r == OCIB_OK; port++)
		r = ob_port_spec_parse(*port, &setup->spec->ports, err);
	if (r == OCIB_OK)
		r = ob_port_choose_network(options->network, &setup->spec->ports,
					   &setup->spec->network, &setup->is_own_network, err);
	return r;
}

static char *first_set(const char *a, const char *b, const char *c)
{
	return strdup(a && *a ? a : b && *b ? b : c);
}

static ocib_errc set_place(ob_run_setup *setup, ocib_error **err)
{
	const ocib_run_options *options = setup->options;
	ob_run_spec *spec = setup->spec;

	spec->cwd = first_set(options->working_dir, setup->config->working_dir, "/");
	spec->user = first_set(options->user, setup->config->user, "");
	spec->hostname = first_set(options->hostname, NULL, "ocibuild");
	if (!spec->cwd || !spec->user || !spec->hostname)
		return ob_fail_nomem(err);
	if (spec->cwd[0] != '/')
		return ob_fail(err, OCIB_ERR_INVALID, "the working directory '%s' is not absolute",
			       spec->cwd);
	spec->read_only_root = options->read_only != 0;
	spec->terminal = options->terminal != 0;
	spec->init_env = true;
	spec->attended = true;
	return OCIB_OK;
}

static ocib_errc set_stop_signal(ob_run_setup *setup, ocib_error **err)
{
	const char *option = setup->options->stop_signal, *image = setup->config->stop_signal;
	const char *name = option && *option ? option : image && *image ? image : "SIGTERM";

	if (ob_signal_parse(name, &setup->stop_signal) && setup->stop_signal > 0 &&
	    setup->stop_signal <= 64)
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID, "the stop signal '%s' is none", name);
}

ocib_errc ob_run_setup_fill(ob_run_setup *setup, ocib_error **err)
{
	static ocib_errc (*const steps[])(ob_run_setup *, ocib_error **) = {
		set_argv, set_env, set_volumes, set_network, set_place, set_stop_signal,
	};
	ocib_errc r = OCIB_OK;

	for (size_t i = 0; i < OB_ARRAY_LEN(steps) && r == OCIB_OK; i++)
		r = steps[i](setup, err);
	return r;
}
