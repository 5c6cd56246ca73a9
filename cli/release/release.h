/* cli/release/release.h — one run of `ocibuild release`: what was asked for, what is known, what was done.
 *
 * The order of things: configuration, registries, commit (release_setup.c); what there is already
 * (release_look.c); may it be skipped, may latest move (release_policy.c); the build
 * (release_build.c); the tags (release_publish.c); what is said about it (release_summary.c).
 *
 * Functions that return int return an exit status and have reported what is wrong.
 */
#ifndef CLI_RELEASE_RELEASE_H
#define CLI_RELEASE_RELEASE_H

#include <time.h>
#include "../cli.h"
#include "../progress.h"
#include "release_commit.h"
#include "release_config.h"
#include "release_steps.h"
#include "release_target.h"

typedef struct release_options {
	const char *runtime, *progress;
	cli_list build_args, secrets, ssh;
	int dry_run, force, move_latest, no_cache, with_runtime;
} release_options;

/** What a tag means in a registry. */
typedef struct release_tag {
	const char *name;   /**< "registry/app:latest" */
	const char *digest; /**< "" when the tag does not exist */
	/* Of its image, "" when it does not say. */
	const char *revision; /**< commit it was made from */
	const char *image; /**< digest for the first platform; of an index, not that of the tag */
	const char *base;  /**< digest of the image it stands on */
	int64_t time;      /**< of that commit; with has_time */
	bool has_time;
} release_tag;

/** One image in one registry. */
typedef struct release_place {
	const release_target *target;
	const char *repository;      /**< "registry/team/app" */
	release_tag version, latest; /**< before we do anything */
	text_list tags; /**< all of them, before we do anything; empty where they are not listed */
	bool moves_latest;
	/* Done so far. */
	bool put_version, put_latest;
} release_place;

/** One image on its way. */
typedef struct release_job {
	const release_image *image;
	const char *tag; /**< version tag */
	release_place *places;
	size_t place_count;
	const char *base;    /**< "registry/runtime:latest@sha256:…", NULL for the runtime */
	ocib_image *built;   /**< NULL until it is */
	const char *outcome; /**< one line, for people and the summary */
	bool pushed;         /**< something changed in a registry */
	release_steps steps;
} release_job;

typedef struct release {
	cli *app;
	const cli_command *self;
	ocib_context
		*steady; /**< not canceled by an interrupt: for tags, which are put or not put */
	release_options options;
	text_pool pool;
	release_config config;
	release_targets targets;
	release_commit commit;
	time_t now;
	bool has_epoch;
	int64_t epoch;
	release_job runtime, app_image;
	release_steps *steps; /**< of the job at work, for events */
	const char *failure;  /**< what was reported last, or NULL */
} release;

/** Of what was built: of several platforms, their index. */
const char *release_digest(const release_job *job);

/* release_setup.c */
int release_setup(release *r);
void release_done(release *r);
/** A line for people, in the view's way. */
void release_say(release *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Annotate and report an error of the library. @return its exit status. */
int release_report(release *r, ocib_error *err);
/** The same for an error of ours; @p hint may be NULL. @return @p status. */
int release_fail(release *r, int status, const char *hint, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* release_look.c */
int release_look(release *r, release_job *job);
/** What one tag means now, and which commit it is from; one that does not exist is no failure. */
ocib_errc release_read_tag(release *r, ocib_context *ctx, release_tag *tag, ocib_error **err);
int release_look_tag(release *r, release_tag *tag);
/** Digest only: cheaper, and what a look back needs. */
ocib_errc release_resolve(ocib_context *ctx, release_tag *tag, text_pool *pool, ocib_error **err);

/* release_policy.c */
/** Is nothing but what the configuration ignores new? Says which files decided. */
bool release_may_skip(release *r, release_job *job);
/** Decide for each place whether latest moves, and say why where not. */
void release_plan_latest(release *r, release_job *job);
/** Is a tag's image of a commit that comes after ours? */
bool release_is_newer(release *r, const release_tag *tag);
/** Is every tag as it would be after a release of @p digest? */
bool release_is_in_place(const release *r, const release_job *job, const char *digest);
/** A clock that is wrong gives tags in the wrong order. */
int release_check_clock(release *r, release_job *job);

/* release_build.c */
int release_find_base(release *r, release_job *job);
/** An application that is not built stays on the runtime image it has: say so where that is not the latest. */
void release_note_base(release *r, const release_job *job);
int release_build(release *r, release_job *job);

/* release_publish.c */
int release_publish(release *r, release_job *job);

/** Let a tag mean an image that the registry has. */
ocib_errc release_put_tag(release *r, const release_place *place, const char *digest,
			  const char *tag, ocib_error **err);

/* release_settle.c */
/** Is the version tag ours? The first registry says so; where not, let our tags mean the owner's image. */
int release_check_owner(release *r, const release_job *job);
/** After all tags are put: let no other run's be mixed with ours. */
int release_settle(release *r, release_job *job);

/* release_undo.c */
/** Put the tags back that this run has put, as far as registries let us, and say how it stands. */
void release_undo(release *r, release_job *job);

/* release_summary.c */
void release_print_plan(release *r, const release_job *job);
void release_print_result(const release *r, const release_job *job);
/** Append to $GITHUB_STEP_SUMMARY, where there is one. */
void release_write_summary(const release *r, const release_job *job);

#endif
