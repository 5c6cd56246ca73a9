/* cli/release/release_setup.c — everything that is known before a registry is asked.
 *
 * What a person has to mend (the file, the variables) is found before anything takes time.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "release.h"
#include "release_ci.h"
#include "release_tags.h"

/* --- what is said --- */

void release_say(release *r, const char *format, ...)
{
	ocib_event event = {.type = OCIB_EVENT_NOTE};
	char *text = NULL;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		return;
	event.u.message.text = text;
	/* After an error the view is gone, and what is said then matters. */
	if (r->app->view && !r->app->view->paused)
		(void)progress_event(&event, r->app->view);
	else
		fprintf(stderr, "%s\n", text);
	free(text);
}

int release_report(release *r, ocib_error *err)
{
	const char *text = ocib_error_message(err);

	r->failure = text_copy(&r->pool, text, strlen(text));
	ci_annotate(err);
	return cli_report(r->app, err);
}

int release_fail(release *r, int status, const char *hint, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	r->failure = len < 0 ? "out of memory" : text_copy(&r->pool, text, (size_t)len);
	progress_pause(r->app->view);
	ci_annotate_text(NULL, 0, r->failure);
	fprintf(stderr, "ocibuild: error: %s\n", r->failure);
	if (hint)
		fprintf(stderr, "hint: %s\n", hint);
	if (len >= 0)
		free(text);
	return status;
}

/* --- the configuration --- */

/* The whole file; NULL when there is none (errno ENOENT) or after another failure. */
static char *read_file(text_pool *pool, const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	size_t cap = 64 * 1024;
	char *data = NULL;

	if (!file)
		return NULL;
	*len = 0;
	for (;; cap *= 2) {
		char *more = text_pool_alloc(pool, cap + 1);

		if (!more)
			break;
		if (data)
			memcpy(more, data, *len);
		data = more;
		*len += fread(data + *len, 1, cap - *len, file);
		/* A file that is too long is told so by the parser. */
		if (*len < cap || cap > 2 * 1024 * 1024)
			break;
	}
	if (ferror(file))
		data = NULL;
	(void)fclose(file);
	return data;
}

static int load_config(release *r)
{
	config_problem problem = {0};
	size_t len = 0;

	errno = 0;
	char *data = read_file(&r->pool, RELEASE_CONFIG_FILE, &len);
	if (!data && errno != ENOENT)
		return release_fail(r, EXIT_OTHER, NULL, "read '" RELEASE_CONFIG_FILE "': %s",
				    strerror(errno ? errno : EIO));
	if (!data && access("ocibuild.yml", F_OK) == 0)
		return release_fail(r, EXIT_USAGE, NULL,
				    "there is a file 'ocibuild.yml'; the name of the configuration "
				    "is '" RELEASE_CONFIG_FILE "'");
	if (!data) {
		release_config_defaults(&r->pool, &r->config);
		return EXIT_OK;
	}
	if (release_config_parse(&r->pool, data, len, &r->config, &problem))
		return EXIT_OK;
	ci_annotate_text(RELEASE_CONFIG_FILE, problem.line, problem.text);
	fprintf(stderr, "ocibuild: error: " RELEASE_CONFIG_FILE);
	if (problem.line)
		fprintf(stderr, ":%u", problem.line);
	fprintf(stderr, ": %s\n", problem.text);
	return EXIT_USAGE;
}

/* --- commit and time --- */

/* The environment's SOURCE_DATE_EPOCH, else the commit's time. */
static int set_epoch(release *r)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");

	r->has_epoch = r->commit.has_time;
	r->epoch = r->commit.time;
	if (!text || !*text)
		return EXIT_OK;
	if (!cli_parse_number(text, &r->epoch) || r->epoch < 0)
		return release_fail(r, EXIT_USAGE, NULL,
				    "SOURCE_DATE_EPOCH is '%s', not a number of seconds", text);
	r->has_epoch = true;
	return EXIT_OK;
}

static int check_commit(release *r, const release_image *image)
{
	if (*r->commit.id || !release_tag_needs_commit(image->tag))
		return EXIT_OK;
	return release_fail(r, EXIT_OTHER,
			    "release from a git checkout, or set the variable that your CI sets: "
			    "GITHUB_SHA, CI_COMMIT_SHA, DRONE_COMMIT_SHA or GIT_COMMIT",
			    "the tag of '%s' needs a commit, and there is none: %s", image->name,
			    r->commit.why);
}

static void say_commit(release *r)
{
	const release_commit *c = &r->commit;

	if (c->note)
		release_say(r, "%s", c->note);
	if (!*c->id)
		release_say(r,
			    "no commit is known (%s): the images say nothing of their source, and "
			    "their times are today's",
			    c->why);
	else if (!r->has_epoch)
		release_say(r, "commit %.7s (%s) has no known time: the images' times are today's",
			    c->id, c->from);
	else
		release_say(r, "commit %.7s (%s)", c->id, c->from);
	if (c->dirty)
		release_say(r,
			    "the tree is dirty: '%s' is not as it was committed; tags end in "
			    "-dirty, and the moving tags stay where they are",
			    c->dirty);
}

static int find_commit(release *r)
{
	char *store = realpath(ocib_store_path(r->app->store), NULL);
	bool found = release_commit_find(&r->pool, store, &r->commit);
	int status = found ? set_epoch(r) : EXIT_OTHER;

	free(store);
	if (status == EXIT_OK)
		status =
			check_commit(r, r->app_image.image ? r->app_image.image : r->runtime.image);
	if (status == EXIT_OK && r->app_image.image && r->runtime.image)
		status = check_commit(r, r->runtime.image);
	if (status == EXIT_OK)
		say_commit(r);
	return status;
}

/* --- the whole --- */

static int on_event(const ocib_event *event, void *user)
{
	release *r = user;

	if (r->steps)
		release_steps_note(&r->pool, r->steps, event);
	return progress_event(event, r->app->view);
}

static int open_all(release *r)
{
	ocib_context_options steady = OCIB_CONTEXT_OPTIONS_INIT;
	ocib_error *err = NULL;

	r->app->progress = r->options.progress;
	r->app->on_event = on_event;
	r->app->on_event_user = r;
	int status = cli_open(r->app, true);
	if (status != EXIT_OK)
		return status;
	steady.on_event = on_event;
	steady.user = r;
	if (ocib_context_new(&steady, &r->steady, &err) != OCIB_OK ||
	    release_targets_tell(&r->targets, r->app->context, &err) != OCIB_OK ||
	    release_targets_tell(&r->targets, r->steady, &err) != OCIB_OK)
		return release_report(r, err);
	return EXIT_OK;
}

static void add_places(release *r, release_job *job)
{
	const release_image *image = job->image;

	job->tag = release_tag_format(&r->pool, image->tag, r->commit.id, r->now,
				      r->commit.dirty != NULL);
	job->places = text_pool_alloc(&r->pool, r->targets.len * sizeof(*job->places));
	for (size_t i = 0; job->places && i < r->targets.len; i++) {
		release_place *place = &job->places[i];

		place->target = &r->targets.items[i];
		place->repository =
			text_printf(&r->pool, "%s/%s", place->target->prefix, image->name);
		place->version.name = text_printf(&r->pool, "%s:%s", place->repository, job->tag);
		place->latest.name =
			text_printf(&r->pool, "%s:%s", place->repository, image->latest);
		job->place_count++;
	}
}

int release_setup(release *r)
{
	int status = load_config(r);

	r->now = time(NULL);
	if (status == EXIT_OK)
		status = release_targets_find(&r->pool, &r->config, &r->targets);
	if (status == EXIT_OK)
		status = open_all(r);
	for (size_t i = 0; status == EXIT_OK && i < r->targets.notes.len; i++)
		release_say(r, "%s", r->targets.notes.items[i]);
	if (status == EXIT_OK)
		status = find_commit(r);
	if (status == EXIT_OK && r->runtime.image)
		add_places(r, &r->runtime);
	if (status == EXIT_OK && r->app_image.image)
		add_places(r, &r->app_image);
	if (status == EXIT_OK && !text_pool_ok(&r->pool))
		return release_fail(r, EXIT_OTHER, NULL, "out of memory");
	return status;
}

void release_done(release *r)
{
	ocib_image_free(r->runtime.built);
	ocib_image_free(r->app_image.built);
	ocib_context_free(r->steady);
	release_targets_done(&r->targets);
	cli_list_free(&r->options.build_args);
	cli_list_free(&r->options.secrets);
	cli_list_free(&r->options.ssh);
	text_pool_done(&r->pool);
}
