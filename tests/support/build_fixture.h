/* tests/support/build_fixture.h — a context directory, a store, and builds with their events counted. */
#ifndef OB_TESTS_BUILD_FIXTURE_H
#define OB_TESTS_BUILD_FIXTURE_H

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <ocibuild/ocibuild.h>
#include "base/fds.h"
#include "harness.h"

typedef struct build_fixture {
	char dir[128]; /* the context */
	char store_dir[128];
	ocib_context *ctx;
	ocib_store *store;
	ocib_build_options options;
	ocib_image *image; /* of the last build */
	/* of the last build */
	int cached, numbered, failed;
	int cancel_at_step;   /* callback returns non-zero when a step starts */
	int cancel_at_output; /* … when a RUN writes something */
	char output[8192];    /* what RUN steps wrote, line by line */
} build_fixture;

static int fixture_on_event(const ocib_event *event, void *user)
{
	build_fixture *f = user;
	size_t used = strlen(f->output);

	switch (event->type) {
	case OCIB_EVENT_STEP_CACHED: f->cached++; break;
	case OCIB_EVENT_STEP_DONE:
		f->numbered +=
			event->u.step.number != 0 && strncmp(event->u.step.text, "FROM ", 5) != 0;
		break;
	case OCIB_EVENT_STEP_FAILED: f->failed += event->u.step.number != 0; break;
	case OCIB_EVENT_OUTPUT:
		(void)snprintf(f->output + used, sizeof(f->output) - used, "%s\n",
			       event->u.output.text);
		return f->cancel_at_output;
	case OCIB_EVENT_STEP_STARTED: return f->cancel_at_step;
	default: break;
	}
	return 0;
}

/* The events go to *f, so its address must not change: call fixture_build() with the variable itself. */
static inline build_fixture fixture_new(void)
{
	build_fixture f = {.options = OCIB_BUILD_OPTIONS_INIT};

	(void)snprintf(f.dir, sizeof(f.dir), "%s/context", t_temp_dir());
	(void)snprintf(f.store_dir, sizeof(f.store_dir), "%s/store", t_temp_dir());
	(void)ob_remove_tree(AT_FDCWD, f.dir, NULL);
	(void)ob_remove_tree(AT_FDCWD, f.store_dir, NULL);
	assert_int_equal(mkdir(f.dir, 0755), 0);
	return f;
}

static inline void fixture_write(const build_fixture *f, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	for (char *slash = strchr(path + strlen(f->dir) + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	/* Times of its own make the same file the same layer in every run. */
	struct timespec times[2] = {{1600000000, 0}, {1600000000, 0}};
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

/* Opens context and store at the first call. */
static inline ocib_errc fixture_try(build_fixture *f, const char *dockerfile)
{
	ocib_context_options options = OCIB_CONTEXT_OPTIONS_INIT;
	ocib_image *image = NULL;

	options.on_event = fixture_on_event;
	options.user = f;
	options.offline = 1;
	if (!f->ctx) {
		ASSERT_OK(ocib_context_new(&options, &f->ctx, &t_err));
		ASSERT_OK(ocib_store_open(f->ctx, f->store_dir, &f->store, &t_err));
	}
	if (dockerfile)
		fixture_write(f, "Dockerfile", dockerfile);
	f->options.context_dir = f->dir;
	f->cached = f->numbered = f->failed = 0;
	f->output[0] = '\0';
	ocib_errc r = ocib_build_run(f->ctx, f->store, &f->options, &image, &t_err);
	ocib_image_free(f->image);
	f->image = image;
	return r;
}

static inline void fixture_build(build_fixture *f, const char *dockerfile)
{
	ASSERT_OK(fixture_try(f, dockerfile));
}

/* Closes the store. */
static inline void fixture_assert_no_litter(build_fixture *f)
{
	char path[256];

	ocib_store_close(f->store); /* as long as it is open, a directory of its own may be there */
	f->store = NULL;
	(void)snprintf(path, sizeof(path), "%s/tmp", f->store_dir);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *one = readdir(dir); one; one = readdir(dir)) {
		if (one->d_name[0] != '.')
			fail_msg("litter in the store: tmp/%s", one->d_name);
	}
	assert_int_equal(closedir(dir), 0);
}

static inline void fixture_done(build_fixture *f)
{
	ocib_image_free(f->image);
	ocib_store_close(f->store);
	ocib_context_free(f->ctx);
}

#endif
