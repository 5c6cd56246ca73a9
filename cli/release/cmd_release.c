/* cli/release/cmd_release.c — ocibuild release runtime|app: the two-image policy on top of the library.
 *
 * What a release is made of is in release.h. Here is only the order: set up, look, decide, build,
 * publish, tell.
 */
#include <string.h>
#include "release.h"

#define AT(field) offsetof(release_options, field)
static const cli_option options[] = {
	{"runtime", 0, CLI_STRING, AT(runtime), "TAG",
	 "app: tag or digest of the runtime image to stand on (default: the moving tag's digest now)"},
	{"with-runtime", 0, CLI_FLAG, AT(with_runtime), NULL,
	 "app: release the runtime image first"},
	{"build-arg", 0, CLI_LIST, AT(build_args), "KEY[=VALUE]",
	 "value of an ARG; without '=' from the environment; repeatable"},
	{"secret", 0, CLI_LIST, AT(secrets), "SPEC",
	 "secret for RUN --mount=type=secret: id=ID[,src=FILE] or id=ID,env=VARIABLE; repeatable"},
	{"ssh", 0, CLI_LIST, AT(ssh), "SPEC",
	 "agent for RUN --mount=type=ssh: default, ID=SOCKET or ID=KEYFILE[,KEYFILE]; repeatable"},
	{"dry-run", 0, CLI_FLAG, AT(dry_run), NULL,
	 "print what would be done, and what is there already; build and push nothing"},
	{"force", 0, CLI_FLAG, AT(force), NULL,
	 "release also where nothing but documentation changed, or where the clock looks wrong"},
	{"move-latest", 0, CLI_FLAG, AT(move_latest), NULL,
	 "move the moving tag also back to an older commit"},
	{"no-cache", 0, CLI_FLAG, AT(no_cache), NULL, "execute every step"},
	{"progress", 0, CLI_STRING, AT(progress), "MODE",
	 "auto, tty, plain, quiet, rawjson (default: auto)"},
	CLI_OPTIONS_END,
};

/* Everything before the build. *skip: there is nothing to do, and job->outcome says why. */
static int prepare(release *r, release_job *job, bool *skip)
{
	bool is_app = job == &r->app_image;
	int status = release_look(r, job);

	if (status != EXIT_OK)
		return status;
	*skip = is_app && release_may_skip(r, job);
	if (*skip) {
		release_note_base(r, job);
		return EXIT_OK;
	}
	status = release_check_clock(r, job);
	/* In a dry run with the runtime there is none yet to stand on. */
	if (status == EXIT_OK && is_app && !(r->options.dry_run && r->options.with_runtime))
		status = release_find_base(r, job);
	if (status == EXIT_OK)
		release_plan_latest(r, job);
	return status;
}

static int release_one(release *r, release_job *job)
{
	bool skip = false;

	progress_restart(r->app->view);
	int status = prepare(r, job, &skip);

	if (status == EXIT_OK && r->options.dry_run) {
		release_print_plan(r, job);
		return EXIT_OK;
	}
	if (status == EXIT_OK && !skip)
		status = release_build(r, job);
	if (status == EXIT_OK && !skip)
		status = release_publish(r, job);
	if (status == EXIT_OK)
		release_print_result(r, job);
	if (!r->options.dry_run)
		release_write_summary(r, job);
	return status;
}

static int release_all(release *r)
{
	int status = release_setup(r);

	if (status == EXIT_OK && r->runtime.image)
		status = release_one(r, &r->runtime);
	if (status == EXIT_OK && r->app_image.image)
		status = release_one(r, &r->app_image);
	return status;
}

/* Which images: from the argument, checked against the options that belong to one of them. */
static int choose(release *r, char **rest, int count)
{
	bool app = count == 1 && strcmp(rest[0], "app") == 0;
	bool runtime = count == 1 && strcmp(rest[0], "runtime") == 0;

	if (!app && !runtime)
		return cli_usage_error(r->self, "takes 'runtime' or 'app'%s%s%s",
				       count ? ", not '" : "", count ? rest[count > 1] : "",
				       count ? "'" : "");
	if (runtime && (r->options.runtime || r->options.with_runtime))
		return cli_usage_error(r->self, "%s is for 'release app'",
				       r->options.runtime ? "--runtime" : "--with-runtime");
	if (r->options.runtime && r->options.with_runtime)
		return cli_usage_error(r->self, "--runtime and --with-runtime exclude each other");
	if (r->options.progress && !progress_mode_is_known(r->options.progress))
		return cli_usage_error(r->self,
				       "--progress is auto, tty, plain, quiet or rawjson, not '%s'",
				       r->options.progress);
	r->app_image.image = app ? &r->config.app : NULL;
	r->runtime.image = runtime || r->options.with_runtime ? &r->config.runtime : NULL;
	return EXIT_OK;
}

static int run(cli *app, const cli_command *self, int argc, char **argv)
{
	release r = {.app = app, .self = self};
	char **rest;
	int count, status = cli_parse(self, argc, argv, &r.options, &rest, &count);

	if (status == EXIT_OK)
		status = choose(&r, rest, count);
	if (status == EXIT_OK)
		status = release_all(&r);
	release_done(&r);
	return status < 0 ? EXIT_OK : status;
}

const cli_command cli_command_release = {
	.name = "release",
	.usage = "[OPTIONS] runtime|app",
	.summary = "build, tag and push the runtime or the application image, all or nothing",
	.options = options,
	.run = run,
};
