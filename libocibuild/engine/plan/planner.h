/* engine/plan/planner.h — the planner's inside: what its phases share, and who does what.
 *
 *   plan.c            the phases in order; freeing a plan
 *   plan_args.c       build arguments, global ARGs, the platform's and the proxies' ones
 *   plan_epoch.c      SOURCE_DATE_EPOCH
 *   plan_stages.c     FROM lines to stages; targets
 *   plan_links.c      --from and mounts; what needs what
 *   plan_sources.c    names that are no stage: scratch, images, named contexts
 *   plan_resolve.c    images to manifests and configs, several at once
 *   plan_contexts.c   local directories with their ignore files
 *   plan_triggers.c   ONBUILD of bases
 *   plan_dispatch.c   a stage from its base to its last instruction, by a table of handlers
 *   plan_instruction.c what handlers ask of an instruction: flags, words, places
 *   plan_variables.c  ENV ARG LABEL          plan_config.c       CMD ENTRYPOINT SHELL USER … ONBUILD
 *   plan_expose.c     EXPOSE                 plan_healthcheck.c  HEALTHCHECK
 *   plan_run.c        RUN                    plan_mount.c       RUN --mount
 *   plan_mount_node.c stages made for mounts
 *   plan_copy.c       COPY ADD               plan_workdir.c     WORKDIR
 *   plan_history.c    history entries, step texts   plan_outline.c  what the target takes
 *   plan_platform.c   several platforms: nodes that they share, names of stages
 *   plan_checks.c     the rules of a check for instructions   plan_check_from.c  and for FROM
 *
 * The order of decisions is BuildKit's, because it can be observed: names resolve against all stages,
 * unneeded stages are checked but never fetched or expanded, triggers run before a stage's own lines.
 */
#ifndef OB_ENGINE_PLANNER_H
#define OB_ENGINE_PLANNER_H

#include "base/limits.h"
#include "dockerfile/shell_lexer.h"
#include "engine/plan.h"

#define OB_NO_INDEX OB_NO_NODE

/* Values of named contexts that are images. */
#define OB_CONTEXT_IMAGE  "docker-image://"
#define OB_CONTEXT_LAYOUT "oci-layout://"

/** What FROM or --from names: a stage of this file, or something outside of it. */
typedef struct ob_input {
	enum { OB_INPUT_NONE = 0, OB_INPUT_STAGE, OB_INPUT_SOURCE } kind;
	size_t index; /**< in the planner's stages or sources */
} ob_input;

/** Something outside of the Dockerfile, once per name and platform. */
typedef struct ob_plan_source {
	ob_node_kind kind;   /**< SCRATCH, IMAGE, CONTEXT or TREE */
	char *name;          /**< as written, for people */
	char *key;           /**< what the name means: familiar form, no ":latest" */
	const char *context; /**< value of the named context that stands in for it, or NULL */
	ob_platform platform;
	const ob_location *at;  /**< the word that named it first */
	bool wanted;            /**< a needed stage uses it */
	bool missing;           /**< checking: it could not be had */
	char *dir;              /**< CONTEXT: absolute, once opened */
	bool is_remote;         /**< CONTEXT: fetched, so no ignore file speaks of it */
	ob_image_source *image; /**< IMAGE, once resolved */
	size_t node;            /**< OB_NO_INDEX until a step or a stage uses it */
} ob_plan_source;

/** An instruction of a stage: its own, or one that ONBUILD brought in. */
typedef struct ob_plan_command {
	const ob_instruction *instruction;
	const ob_location *at; /**< of the instruction; of the stage's FROM for a trigger */
	bool is_trigger;
	ob_input *from; /**< COPY: --from, if given; RUN: one for each --mount, NONE without from */
	size_t from_count;
} ob_plan_command;

/** An ARG of a stage, for an outline. */
typedef struct ob_noted_arg {
	char *key, *value;
	const ob_instruction *instruction;
	const ob_location *at;
	bool own; /**< else it imports a global ARG */
} ob_noted_arg;

typedef struct ob_plan_stage {
	const ob_stage_source *source;
	size_t index;
	char *label;       /**< for people: its name, or "stage-N" */
	char *base_name;   /**< expanded */
	bool has_platform; /**< FROM --platform */
	ob_platform platform;
	ob_input base;
	ob_input stand_in; /**< the named context that replaces this stage */
	ob_plan_command *commands;
	size_t command_count;
	bool needed, has_triggers;

	/* what instructions change */
	ob_config *config;
	ob_strlist env;      /**< what expansion and RUN see: ENV and ARG, later ones win */
	ob_strlist args;     /**< keys of ARGs, in order: RUN's history shows them */
	bool has_cmd;        /**< CMD in this very stage */
	bool has_workdir;    /**< WORKDIR in this stage or in one of this file that it stands on */
	bool base_missing;   /**< so its variables are not known */
	ob_noted_arg *noted; /**< ARGs in order, when an outline is wanted */
	size_t noted_count;
	/** Where the last instruction of a kind that counts once is; by instruction type. */
	const ob_location *last_of[OB_INSTRUCTION_HEALTHCHECK + 1];
	ob_step *steps;
	size_t step_count;
	size_t base_node;
	uint32_t counted; /**< numbers given out; the FROM of an image has the first */
	size_t node;      /**< OB_NO_INDEX until it is complete */
} ob_plan_stage;

typedef struct ob_planner {
	ocib_context *ctx;
	ob_image_sources *images;
	const ob_dockerfile *dockerfile;
	const ob_plan_options *options;
	ob_plan *plan;     /**< filled in as phases pass, by one planner for each platform */
	size_t first_node; /**< of this platform; those before are other platforms' */
	ob_platform host;
	ob_strlist build_args;  /**< KEY=VALUE, once per key */
	ob_strlist global_args; /**< KEY=VALUE: what FROM and a bare ARG see */
	ob_strlist proxy_env;
	ob_plan_stage *stages;
	size_t stage_count;
	size_t target;
	ob_plan_source *sources;
	size_t source_count;
	size_t main_context; /**< source, OB_NO_INDEX until a COPY needs it */
	uint64_t spent;      /**< of OB_LIMIT_PLAN */
} ob_planner;

/** One instruction being carried out. */
typedef struct ob_dispatch {
	ob_planner *planner;
	ob_plan_stage *stage;
	const ob_plan_command *command;
	const ob_instruction *instruction; /**< the command's */
} ob_dispatch;

/* Phases, in this order. */
ocib_errc ob_planner_read_args(ob_planner *planner, ocib_error **err);
ocib_errc ob_planner_make_stages(ob_planner *planner, ocib_error **err);
ocib_errc ob_planner_find_target(ob_planner *planner, ocib_error **err);
ocib_errc ob_planner_link_stages(ob_planner *planner, ocib_error **err);
ocib_errc ob_planner_resolve(ob_planner *planner, ocib_error **err);
ocib_errc ob_planner_dispatch(ob_planner *planner, ocib_error **err);
ocib_errc ob_planner_list_unused(ob_planner *planner, ocib_error **err);
ocib_errc ob_planner_make_outline(ob_planner *planner, ocib_error **err); /**< if it is wanted */

/* Shared by phases. */
/** Count @p bytes that the plan keeps. Kinds: LIMIT. */
ocib_errc ob_planner_spend(ob_planner *planner, uint64_t bytes, const ob_location *at,
			   ocib_error **err);
/** One word with the global ARGs; errors point at @p at. */
ocib_errc ob_planner_expand_global(const ob_planner *planner, const char *word,
				   const ob_location *at, char **out, ocib_error **err);
/** The place of a FROM's image name, of the FROM itself where that is unknown. */
const ob_location *ob_plan_from_place(const ob_instruction *from);
/** Find or add the source that a name which is no stage stands for. Kinds: SYNTAX. */
ocib_errc ob_planner_add_source(ob_planner *planner, const char *name, const ob_platform *platform,
				const ob_location *at, ob_input *out, ocib_error **err);
/** The named context that replaces the stage called @p name, if there is one. */
ocib_errc ob_planner_find_stand_in(ob_planner *planner, const char *name,
				   const ob_platform *platform, const ob_location *at,
				   ob_input *out, ocib_error **err);
/** The build context itself, opened. Kinds: NOTFOUND. */
ocib_errc ob_planner_main_context(ob_planner *planner, const ob_location *at, size_t *source,
				  ocib_error **err);
/** The directory of a named context: checked, or fetched. */
ocib_errc ob_planner_open_dir(ob_planner *planner, ob_plan_source *source, ocib_error **err);
/** What is behind an address, kept by the plan. Its time is known if the first who asks @p wants_time. */
ocib_errc ob_planner_fetch_context(ob_planner *planner, const char *address, bool wants_time,
				   const ob_remote_context **out, ocib_error **err);
/** SOURCE_DATE_EPOCH of the build arguments, or of a global ARG, as a number in both and in the plan. */
ocib_errc ob_planner_decide_epoch(ob_planner *planner, ocib_error **err);
/** Find what the flags of an instruction name: COPY --from, RUN --mount=from=…. Kinds: SYNTAX. */
ocib_errc ob_planner_link_command(ob_planner *planner, ob_plan_command *command, ocib_error **err);
/** Set @ref ob_plan_stage.needed from the target on. */
void ob_planner_mark_needed(ob_planner *planner);
/** The last stage of this name, OB_NO_INDEX if there is none. */
size_t ob_planner_find_stage(const ob_planner *planner, const char *name);
/** The last --flag of this name, NULL when it was not given. */
const ob_flag *ob_plan_flag(const ob_instruction *instruction, const char *name);
/** The stage whose name is most like @p name, for "did you mean"; NULL when none is. */
const char *ob_planner_nearest_stage(const ob_planner *planner, const char *name);
/** What a stage is used as: itself, or what stands in for it. */
ob_input ob_planner_real_input(const ob_planner *planner, ob_input input);
/** Open what is wanted and not open yet: images on threads, directories. */
ocib_errc ob_planner_open_sources(ob_planner *planner, ocib_error **err);
/** Put the ONBUILD instructions of a needed stage's base before its own. */
ocib_errc ob_planner_add_triggers(ob_planner *planner, ob_plan_stage *stage, ocib_error **err);
/** The plan's node of a source, made at the first call. */
ocib_errc ob_planner_source_node(ob_planner *planner, size_t source, size_t *node,
				 ocib_error **err);
/** A base's working directory as instructions will find it: absolute. */
ocib_errc ob_planner_start_dir(ob_config *config, ocib_error **err);
ocib_errc ob_plan_add_node(ob_plan *plan, ob_node **node, size_t *index, ocib_error **err);
ocib_errc ob_plan_add_scratch(ob_plan *plan, size_t *index, ocib_error **err);
/** Take back the node that was added last. */
void ob_plan_drop_node(ob_plan *plan);
/**
 * The node that was added last is complete. Where another platform has the same, that one is it: *index is
 * then changed and the new one dropped.
 */
void ob_planner_share_node(ob_planner *planner, size_t *index);
/** How events call a stage: "build", "linux/arm64 build", "linux/amd64->arm64 build"; malloc'ed. */
char *ob_planner_show_stage(const ob_planner *planner, const ob_plan_stage *stage,
			    const char *name);
/**
 * A stage that has nothing but what is at @p path of the node @p from, under OB_MOUNT_PATH: for what a RUN
 * mounts and no tree has as it is. Made once for each path.
 */
ocib_errc ob_planner_mount_node(ob_planner *planner, size_t from, const char *path,
				const ob_location *at, size_t *out, ocib_error **err);
#define OB_MOUNT_PATH "/mount"

/* For handlers. */
typedef ocib_errc (*ob_handler)(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_arg(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_cmd(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_copy(ob_dispatch *d, ocib_error **err); /**< and ADD */
ocib_errc ob_dispatch_entrypoint(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_env(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_expose(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_healthcheck(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_label(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_maintainer(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_onbuild(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_run(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_shell(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_stopsignal(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_user(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_volume(ob_dispatch *d, ocib_error **err);
ocib_errc ob_dispatch_workdir(ob_dispatch *d, ocib_error **err);

/* The rules of a check; each does nothing without ob_plan_options.findings. */
/** Image names that the defaults of global ARGs make. Before those ARGs are read. */
void ob_check_default_args(const ob_planner *planner);
/** Variables and --platform of a stage's FROM. */
void ob_check_from(const ob_planner *planner, const ob_instruction *from);
/** An image that is a base, or that COPY takes from, is for another platform than @p expected. */
void ob_check_image_platform(const ob_dispatch *d, const ob_plan_source *source,
			     const ob_platform *expected);
/** An instruction before it is carried out, and a COPY or ADD afterwards. */
void ob_check_instruction(ob_dispatch *d);
void ob_check_copied(const ob_dispatch *d);
/** An ARG that was carried out, for an outline; @p value may be NULL. */
ocib_errc ob_dispatch_note_arg(ob_dispatch *d, const ob_pair *pair, const char *key,
			       const char *value, ocib_error **err);
/** Variables that an instruction asked for and that are not there. */
void ob_check_unset(const ob_dispatch *d, const ob_strlist *names);
void ob_check_workdir(ob_dispatch *d, const char *path);
void ob_check_port(const ob_dispatch *d, const char *spec);
/** The name of @p env's variables that is most like @p name, malloc'ed; NULL when none is. */
char *ob_check_nearest_key(const char *name, const ob_strlist *env);

/** Where an error of the command points: @p at, or the FROM for what no line of this file says. */
const ob_location *ob_dispatch_place(const ob_dispatch *d, const ob_location *at);
#define ob_fail_here(err, d, at, code, ...)                                               \
	ob_fail_at((err), (d)->planner->dockerfile, ob_dispatch_place((d), (at)), (code), \
		   __VA_ARGS__)
/** One word with the stage's variables. */
ocib_errc ob_dispatch_expand(const ob_dispatch *d, const char *word, const ob_location *at,
			     char **out, ocib_error **err);
/** The same in another way, for bodies of here-documents. */
ocib_errc ob_dispatch_expand_as(const ob_dispatch *d, const ob_shell_options *options,
				const char *word, const ob_location *at, char **out,
				ocib_error **err);
/** Only word of an instruction that has one (USER, WORKDIR, STOPSIGNAL …), expanded. */
ocib_errc ob_dispatch_expand_only(const ob_dispatch *d, char **out, ocib_error **err);
/** Set a variable of expansion and RUN. */
ocib_errc ob_dispatch_set_env(ob_dispatch *d, const char *key, const char *value, ocib_error **err);
/** Value of a --flag and its place; NULL when it was not given. */
const ob_flag *ob_dispatch_flag(const ob_dispatch *d, const char *name);
/** 1 yes, 0 no, -1 not given. */
int ob_dispatch_flag_bool(const ob_dispatch *d, const char *name);
/** Words of an exec or shell form as they are run: with the SHELL in front for the latter. */
ocib_errc ob_dispatch_command_line(const ob_dispatch *d, const char *script, ob_strlist *out,
				   ocib_error **err);

/** The --mounts of a RUN. */
ocib_errc ob_dispatch_mounts(ob_dispatch *d, ob_run_op *op, ocib_error **err);

/** A here-document's name names a file: refuse what would name another place. */
ocib_errc ob_dispatch_check_file_name(const ob_dispatch *d, const char *name, const ob_location *at,
				      ocib_error **err);

/** A history entry; takes the buffer's content and finishes it. */
ocib_errc ob_dispatch_commit(ob_dispatch *d, ob_buffer *text, bool has_layer, ocib_error **err);
#define OB_HISTORY_COMMENT "ocibuild.dockerfile.v0"
#define OB_HISTORY_MARK    " # ocibuild"
#define OB_HISTORY_BUFFER  OB_BUFFER_INIT(OB_LIMIT_PLAN, "plan")
/** A step whose layer the next committed history entry is for. */
ocib_errc ob_dispatch_add_step(ob_dispatch *d, ob_step_op op, ob_step **out, ocib_error **err);
/** The step's text: @p source with variables replaced as @p options say, its keyword in capitals. */
ocib_errc ob_dispatch_step_text(const ob_dispatch *d, const char *source,
				const ob_shell_options *options, char **out, ocib_error **err);
/** The same with variables that only the text is to show. */
ocib_errc ob_dispatch_step_text_of(const ob_dispatch *d, const char *source, const ob_strlist *env,
				   const ob_shell_options *options, char **out, ocib_error **err);
void ob_step_done(ob_step *step);
ocib_errc ob_config_set_text(char **field, const char *value, ocib_error **err);

#endif
