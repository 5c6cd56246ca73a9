/* cli/release/release_build.c — one image, built into the cache and named nowhere yet.
 *
 * The application stands on the digest that the runtime's tag has now: every name that a Dockerfile may
 * give the runtime stands for it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "../build_secrets.h"
#include "../build_ssh.h"
#include "release.h"
#include "release_ci.h"

#define KEY_PREFIX "org.opencontainers.image."

/* --- the base --- */

static const char *base_name(release *r)
{
	const char *repository =
		text_printf(&r->pool, "%s/%s", r->targets.items[0].prefix, r->config.runtime.name);
	const char *tag = r->options.runtime;

	if (tag && strncmp(tag, "sha256:", 7) == 0)
		return text_printf(&r->pool, "%s@%s", repository, tag);
	return text_printf(&r->pool, "%s:%s", repository, tag ? tag : r->config.runtime.latest);
}

static int fail_no_base(release *r, const char *name)
{
	return release_fail(
		r, EXIT_NOT_FOUND,
		r->options.runtime
			? "name a tag of the runtime image that exists, or leave --runtime "
			  "out"
			: "release it first, 'ocibuild release runtime', or both at once, "
			  "'ocibuild release app --with-runtime'",
		"there is no runtime image '%s'%s", name, r->options.runtime ? "" : " yet");
}

int release_find_base(release *r, release_job *job)
{
	release_tag base = {.name = base_name(r)};
	ocib_error *err = NULL;

	if (release_resolve(r->app->context, &base, &r->pool, &err) != OCIB_OK)
		return release_report(r, err);
	if (!*base.digest)
		return fail_no_base(r, base.name);
	job->base = strchr(base.name, '@') ? base.name
					   : text_printf(&r->pool, "%s@%s", base.name, base.digest);
	release_say(r, "%s: stands on %s", job->image->key, job->base);
	return EXIT_OK;
}

void release_note_base(release *r, const release_job *job)
{
	release_tag base = {.name = base_name(r)};
	const char *stands_on = job->places[0].latest.base;
	ocib_error *err = NULL;

	if (release_read_tag(r, r->app->context, &base, &err) != OCIB_OK) {
		ocib_error_free(err);
		return;
	}
	if (*base.image && *stands_on && strcmp(base.image, stands_on) != 0)
		release_say(r,
			    "%s: %s has moved since: this application stands on %s; to build on "
			    "the new one, release a new commit with --force",
			    job->image->key, base.name, stands_on);
}

/* "runtime", its name in the configuration, and its full names, all for the one digest. */
static void add_base(release *r, const release_job *job, text_list *list)
{
	const char *name = r->config.runtime.name;

	text_list_add(&r->pool, list,
		      text_printf(&r->pool, "runtime=docker-image://%s", job->base));
	if (strcmp(name, "runtime") != 0)
		text_list_add(&r->pool, list,
			      text_printf(&r->pool, "%s=docker-image://%s", name, job->base));
	for (size_t i = 0; i < r->targets.len; i++)
		text_list_add(&r->pool, list,
			      text_printf(&r->pool, "%s/%s=docker-image://%s",
					  r->targets.items[i].prefix, name, job->base));
}

/* --- labels, arguments --- */

static void add_all(text_pool *pool, text_list *to, const text_list *from)
{
	for (size_t i = 0; i < from->len; i++)
		text_list_add(pool, to, from->items[i]);
}

/* What every image says about itself; the configuration's come later and win. */
static void add_origin(release *r, text_list *list)
{
	text_pool *pool = &r->pool;
	char created[40] = "";
	time_t when = (time_t)r->epoch;
	struct tm tm = {0};

	if (*r->commit.id)
		text_list_add(pool, list,
			      text_printf(pool, KEY_PREFIX "revision=%s%s", r->commit.id,
					  r->commit.dirty ? "-dirty" : ""));
	if (*r->commit.source)
		text_list_add(pool, list,
			      text_printf(pool, KEY_PREFIX "source=%s", r->commit.source));
	if (r->has_epoch && gmtime_r(&when, &tm)) {
		(void)strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &tm);
		text_list_add(pool, list, text_printf(pool, KEY_PREFIX "created=%s", created));
	}
}

/* "KEY" takes its value from the environment; where that has none, it is left out, as docker does. */
static void add_build_arg(text_pool *pool, text_list *list, const char *arg)
{
	const char *value = strchr(arg, '=') ? "" : getenv(arg);

	if (strchr(arg, '='))
		text_list_add(pool, list, arg);
	else if (value)
		text_list_add(pool, list, text_printf(pool, "%s=%s", arg, value));
}

static text_list collect_build_args(release *r, const release_image *image)
{
	text_list list = {0};

	for (size_t i = 0; i < image->build_args.len; i++)
		add_build_arg(&r->pool, &list, image->build_args.items[i]);
	for (size_t i = 0; i < r->options.build_args.len; i++)
		add_build_arg(&r->pool, &list, r->options.build_args.items[i]);
	return list;
}

/* --- the build --- */

static int run_build(release *r, release_job *job, const ocib_build_options *options)
{
	ocib_error *err = NULL;
	const char *title = text_printf(&r->pool, "build %s", job->image->key);

	ci_group_begin(text_printf(&r->pool, "build_%s", job->image->key), title);
	r->steps = &job->steps;
	ocib_errc rc = ocib_build_run(r->app->context, r->app->store, options, &job->built, &err);
	r->steps = NULL;
	ci_group_end(text_printf(&r->pool, "build_%s", job->image->key));
	return rc == OCIB_OK ? EXIT_OK : release_report(r, err);
}

/* What is missing is empty in most CI systems, and an image that was built without it is no release. */
static int check_secrets(release *r, const build_secrets *secrets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!secrets->items[i].path && !secrets->items[i].len)
			return release_fail(r, EXIT_NETWORK, NULL,
					    "secret '%s' is empty, or its variable is not set",
					    secrets->items[i].id);
	return EXIT_OK;
}

/* The configuration's secrets, then the command line's, which count. */
static int run_with_secrets(release *r, release_job *job, ocib_build_options *options)
{
	text_list specs = {0};
	build_secrets secrets = {0};
	build_ssh ssh = {0};

	add_all(&r->pool, &specs, &job->image->secrets);
	for (size_t i = 0; i < r->options.secrets.len; i++)
		text_list_add(&r->pool, &specs, r->options.secrets.items[i]);
	const cli_list list = {specs.items, specs.len};
	int status = build_secrets_parse(r->self, &list, &secrets, options);
	if (status == EXIT_OK)
		status = check_secrets(r, &secrets, list.len);
	if (status == EXIT_OK)
		status = build_ssh_parse(r->self, &r->options.ssh, &ssh, options);
	if (status == EXIT_OK)
		status = run_build(r, job, options);
	build_ssh_done(&ssh);
	build_secrets_done(&secrets);
	return status;
}

/* Git keeps of a mode one bit, the rest is the umask of who checked out: of one commit, two digests. */
static void check_modes(release *r, const release_image *image)
{
	struct stat st;

	if (stat(image->dockerfile, &st) < 0)
		return;
	unsigned mode = st.st_mode & 07777;
	if (mode != 0644 && mode != 0755)
		release_say(r,
			    "warning: '%s' has mode %04o, so this tree was checked out under a "
			    "umask that is not 022; its files give another digest elsewhere (COPY "
			    "--chmod says which modes they have)",
			    image->dockerfile, mode);
}

const char *release_digest(const release_job *job)
{
	const char *index = ocib_image_index_digest(job->built);

	return index ? index : ocib_image_digest(job->built);
}

/* Of several platforms the index says the same of itself as each image. */
static void add_annotations(release *r, const release_image *image, text_list *list)
{
	const char *places = image->platforms.len > 1 ? "index,manifest" : "manifest";
	text_list texts = {0};

	add_origin(r, &texts);
	add_all(&r->pool, &texts, &image->annotations);
	for (size_t i = 0; i < texts.len; i++)
		text_list_add(&r->pool, list,
			      text_printf(&r->pool, "%s:%s", places, texts.items[i]));
}

/* Says the image what we think it stands on? */
static void check_base(release *r, const release_job *job)
{
	const char *digest = ocib_image_annotation(job->built, KEY_PREFIX "base.digest");
	const char *wanted = job->base ? strchr(job->base, '@') : NULL;

	/* An index is one digest, its image for one platform another: then there is nothing to compare. */
	if (wanted && !digest)
		release_say(r, "warning: %s stands on no image; 'FROM runtime' would stand on %s",
			    job->image->dockerfile, job->base);
}

int release_build(release *r, release_job *job)
{
	static const ocib_output nowhere = {.type = "cacheonly", .tar = -1};
	const release_image *image = job->image;
	ocib_build_options options = OCIB_BUILD_OPTIONS_INIT;
	text_list labels = {0}, annotations = {0}, bases = {0};
	text_list args = collect_build_args(r, image);

	check_modes(r, image);
	add_origin(r, &labels);
	add_all(&r->pool, &labels, &r->config.labels);
	add_all(&r->pool, &labels, &image->labels);
	add_annotations(r, image, &annotations);
	if (job->base)
		add_base(r, job, &bases);
	if (!text_pool_ok(&r->pool))
		return release_fail(r, EXIT_OTHER, NULL, "out of memory");
	options.context_dir = image->context;
	options.dockerfile = image->dockerfile;
	options.target = image->target;
	options.platform = image->platform;
	options.build_args = args.items;
	options.build_contexts = image->build_contexts.items;
	options.base_images = bases.items;
	options.labels = labels.items;
	options.annotations = annotations.items;
	options.annotate_base = 1;
	options.no_cache = r->options.no_cache || !image->cache;
	options.compression = image->compression;
	options.outputs = &nowhere;
	options.output_count = 1;
	options.has_source_date_epoch = r->has_epoch;
	options.source_date_epoch = r->epoch;
	int status = run_with_secrets(r, job, &options);
	if (status == EXIT_OK)
		check_base(r, job);
	return status;
}
