/* engine/build/build.h — one build under way: what its parts share, and who does what.
 *
 *   build.c         the public call: a thread that does the work, events pumped to the caller
 *   build_options.c what the caller asked for    build_input.c context and Dockerfile
 *   build_setup.c   both to a plan               build_findings.c what a check finds in them
 *   schedule.c      stages side by side          stage_run.c   one stage, step by step
 *   step_copy.c     COPY, ADD, WORKDIR           step_run.c    RUN
 *   run_mounts.c    --mount of a RUN             run_caches.c  those of type cache
 *   ssh_sockets.c   --ssh                        step_remote.c URLs and repositories of an ADD
 *   cache_carry.c   --cache-mount-from           cache_export.c --cache-mount-to
 *   step_cache.c    keys and records             run_commit.c  what a RUN changed becomes a layer
 *   workshop.c      workers, temporary files     run_trees.c   unpacked layers
 *   assemble.c      configuration, manifest      annotations.c --annotation
 *   export.c        where the image goes         export_registry.c into registries
 *
 * Thread rule: a stage is worked on by one thread at a time, and only that thread touches its
 * ob_stage_run; a commit thread touches nothing but its own ob_run_commit. What is shared is behind
 * ob_build.lock, or immutable once the plan is made.
 */
#ifndef OB_ENGINE_BUILD_BUILD_H
#define OB_ENGINE_BUILD_BUILD_H

#include <pthread.h>
#include <ocibuild/build.h>
#include "engine/build/cache_carry.h"
#include "engine/build/ssh_sockets.h"
#include "engine/build/step_cache.h"
#include "engine/build/step_events.h"
#include "engine/context/remote_context.h"
#include "engine/copy.h"
#include "engine/plan.h"
#include "engine/source/secrets.h"
#include "engine/tree.h"
#include "engine/build/workshop.h"

/** A RUN whose command has ended well and whose changes are becoming a layer. */
typedef struct ob_run_commit ob_run_commit;

/** How far a stage is. */
typedef struct ob_stage_run {
	size_t node;   /**< in the plan */
	size_t next;   /**< step to do next */
	ob_tree *tree; /**< after all steps whose layers are finished */
	uint8_t key
		[OB_SHA256_LEN]; /**< cache key of the step before @ref next, unfinished ones too */
	ob_run_commit *pending;  /**< the step before @ref next, when its layer is not finished */
	bool no_cache;
	bool ca_decided; /**< whether RUN steps get the host's certificates was found out */
	bool ca_mounted;
	ob_strlist created; /**< when each finished step's layer was made */
} ob_stage_run;

/** What a node of the plan has become. Written under the lock before done is set; then immutable. */
typedef struct ob_node_run {
	bool done;
	ob_tree *tree; /**< IMAGE, SCRATCH, STAGE */
	uint8_t key[OB_SHA256_LEN];
	pthread_mutex_t scan_lock; /**< CONTEXT: the scan is made by its first user */
	ob_context_scan *scan;
	ob_stage_run stage; /**< STAGE */
	bool running;       /**< STAGE: a thread is at it */
} ob_node_run;

/** The certificates of --ca-cert or of the host; path NULL when there are none. */
typedef struct ob_ca_bundle {
	char *path;
	bool forced; /**< asked for: mounted even where the base has the same */
	uint8_t digest[OB_SHA256_LEN];
} ob_ca_bundle;

/** What came of a build. */
typedef struct ob_build_result {
	ob_descriptor *manifests; /**< of the plan's targets, in their order */
	size_t count;
	ob_descriptor root; /**< what names mean: the only manifest, or an index of all */
} ob_build_result;
void ob_build_result_done(ob_build_result *result);

/** What a build reads. */
typedef struct ob_build_input {
	char *dir;        /**< the context, absolute; NULL where it is an archive's tree */
	char *dockerfile; /**< path of the file; NULL where it is no file of its own */
	bool is_remote;   /**< the context is not local: no ignore file speaks of it */
	ob_remote_context remote;
} ob_build_input;

typedef struct ob_build {
	ocib_context *ctx;
	ob_store *store;
	ob_workshop shop;
	ocib_build_options options; /**< borrowed strings */
	ob_strlist tags;            /**< full references */
	bool epoch_asked;           /**< for a time, or for that of something */
	bool has_epoch;
	int64_t epoch;
	ob_layer_writer_options writer;
	uint8_t settings[OB_SHA256_LEN]; /**< of all options that change a layer's bytes */
	ob_platform *platforms;          /**< what is built; at least one */
	size_t platform_count;
	bool platform_given; /**< else it is this machine's because nobody said otherwise */
	bool makes_index;
	ob_ca_bundle ca;
	ob_secrets secrets;
	ob_ssh_sockets ssh;
	ob_cache_carry caches;
	ob_strlist extra_hosts; /**< lines for /etc/hosts */

	ob_build_input input;
	bool checking;        /**< nothing will be executed */
	bool outline;         /**< the plan is to have one */
	ob_source_text text;  /**< checking: the Dockerfile, also when it is wrong */
	ob_findings findings; /**< of the Dockerfile and the plan, by line once there is one */
	ob_image_sources *sources;
	ob_dockerfile *dockerfile;
	ob_plan *plan;
	ob_node_run *nodes; /**< plan->node_count */

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;         /**< a step failed: begin nothing more */
	ob_strlist claims; /**< keys of steps being executed, in hex */
} ob_build;

/* build_options.c */
/** Into the build's own fields. Kinds: INVALID, UNSUPPORTED. */
ocib_errc ob_build_check_options(ob_build *build, const ocib_build_options *options,
				 ocib_error **err);

/* build_input.c */
/** Find the context, fetch it where it is not here, and parse the Dockerfile. */
ocib_errc ob_build_open_input(ob_build *build, ocib_error **err);
void ob_build_input_done(ob_build_input *input);
/* build_findings.c */
/** Options that the build arguments have for a check. Kinds: SYNTAX (no location). */
ocib_errc ob_build_begin_findings(ob_build *build, ocib_error **err);
void ob_build_emit_findings(const ob_build *build); /**< as warnings */

/* build_setup.c */
/** Options to plan: ctx and store are set before. Findings are there also when it fails. */
ocib_errc ob_build_make_plan(ob_build *build, const ocib_build_options *options, ocib_error **err);
/** The same with all that executing needs. ctx, store and shop are set before. */
ocib_errc ob_build_setup(ob_build *build, const ocib_build_options *options, ocib_error **err);
void ob_build_done(ob_build *build);

/* schedule.c */
/** Run everything the target needs. */
ocib_errc ob_build_execute(ob_build *build, ocib_error **err);
/** May a thread go on with the stage it is at? */
bool ob_build_may_go_on(ob_build *build, const ob_stage_run *stage);
/** Wait until no other stage is at a step of this key, then have it; false: the build stops. */
bool ob_build_claim(ob_build *build, const uint8_t key[OB_SHA256_LEN]);
void ob_build_release(ob_build *build, const uint8_t key[OB_SHA256_LEN]);

/** One step, stage->next still naming it: from the cache or by doing it. On success the layer is the
 *  stage's top, or its pending commit, and stage->key is the step's. */
ocib_errc ob_step_do_copy(ob_build *build, ob_stage_run *stage, const ob_step *step,
			  ocib_error **err);
ocib_errc ob_step_do_run(ob_build *build, ob_stage_run *stage, const ob_step *step,
			 ocib_error **err);

/* stage_run.c */
/** Is what the stage's next step reads there? Under the lock. */
bool ob_stage_can_go_on(const ob_build *build, const ob_stage_run *stage);
/** Do steps until one must wait, the build stops, or the stage is finished. */
ocib_errc ob_stage_go_on(ob_build *build, ob_stage_run *stage, ocib_error **err);
/** *tree (taken) is the stage's with one more layer, of the time @p created. */
ocib_errc ob_stage_take_layer(ob_stage_run *stage, ob_tree **tree, const char *created,
			      ocib_error **err);
/** A record was found: its layer becomes the stage's top, and the event is sent. */
ocib_errc ob_step_use_record(ob_build *build, ob_stage_run *stage, const ob_step *step,
			     const ob_step_record *record, ocib_error **err);
/** The step as events name it, not started. */
ob_step_span ob_build_span(const ob_build *build, const ob_step *step);

/* run_commit.c */
typedef struct ob_run_commit_input {
	char *dir;         /**< temporary directory with "upper", absolute; taken */
	ob_strlist lowers; /**< topmost first; taken */
	ob_strlist stubs;  /**< taken */
	const ob_step *step;
	uint8_t key[OB_SHA256_LEN];
	ob_step_span span; /**< started; the commit ends it */
} ob_run_commit_input;
void ob_run_commit_input_done(ob_run_commit_input *input);
/** Begin on a thread of its own (@p beside) or do it at once; the stage's pending is set. */
ocib_errc ob_run_commit_begin(ob_build *build, ob_stage_run *stage, ob_run_commit_input *input,
			      bool beside, ocib_error **err);
/** Wait for the stage's pending commit, if any, and make its layer the stage's top. */
ocib_errc ob_run_commit_collect(ob_build *build, ob_stage_run *stage, ocib_error **err);
/** The directory with the pending RUN's changes; NULL when nothing is pending. */
const char *ob_run_commit_upper(const ob_run_commit *commit);

/* ca_bundle.c */
ocib_errc ob_ca_bundle_open(const char *option, ob_ca_bundle *out, ocib_error **err);
void ob_ca_bundle_done(ob_ca_bundle *ca);
/** Does the tree lack the bundle? Trees that have the same bytes need no mount. */
ocib_errc ob_ca_bundle_wanted(const ob_ca_bundle *ca, ob_tree *base, bool *out, ocib_error **err);
/** Add the mount and the variables to a RUN. */
ocib_errc ob_ca_bundle_add(const ob_ca_bundle *ca, ob_run_spec *spec, ocib_error **err);

/* assemble.c */
/** Write configuration and manifest of each target, and the index. */
ocib_errc ob_build_assemble(ob_build *build, ob_build_result *out, ocib_error **err);
/** The image at the bottom of a target; NULL: it begins with nothing, or with a root file system. */
ob_image_source *ob_build_base_image(const ob_build *build, const ob_plan_target *target);

/* export.c */
/** Refuse outputs that cannot be, before anything is done. */
ocib_errc ob_build_check_outputs(const ob_build *build, ocib_error **err);
ocib_errc ob_build_export(ob_build *build, const ob_build_result *result, ocib_error **err);

#endif
