/* engine/plan.h — a Dockerfile, its bases resolved and its variables expanded, as a graph of steps.
 *
 * A plan is plain data: nodes that are file system trees (an image, a local context, a stage made of
 * steps on a base node), and per stage the configuration it will have. Planning fetches manifests and
 * configs of bases and nothing else; executing never looks at the Dockerfile again but to show a line.
 */
#ifndef OB_ENGINE_PLAN_H
#define OB_ENGINE_PLAN_H

#include "base/context.h"
#include "dockerfile/findings.h"
#include "dockerfile/ignore.h"
#include "dockerfile/instruction.h"
#include "dockerfile/run_mount.h"
#include "engine/context/remote_context.h"
#include "engine/image_source.h"
#include "engine/outline.h"
#include "image/config.h"
#include "sandbox/sandbox.h"

typedef enum ob_node_kind {
	OB_NODE_SCRATCH = 1,
	OB_NODE_IMAGE,
	OB_NODE_CONTEXT, /* a local directory with ignore patterns */
	OB_NODE_TREE,    /* a context that is an archive */
	OB_NODE_STAGE
} ob_node_kind;

typedef enum ob_step_op { OB_STEP_RUN = 1, OB_STEP_COPY, OB_STEP_WORKDIR } ob_step_op;

/** Where COPY takes a group of sources from. */
typedef enum ob_copy_source_kind {
	OB_COPY_PATHS = 1,
	OB_COPY_INLINE,
	OB_COPY_URL,
	OB_COPY_GIT
} ob_copy_source_kind;

typedef struct ob_copy_source {
	ob_copy_source_kind kind;
	char *path; /**< PATHS: expanded, as written; INLINE: file name; URL, GIT: the address */
	char *data; /**< INLINE: expanded content */
	size_t data_len;
	char *name; /**< URL: of the file, in a directory */
	ob_location at;
} ob_copy_source;

/** COPY and ADD, everything expanded. */
typedef struct ob_copy_op {
	bool is_add; /**< archives are unpacked by content: PATHS by default, URLs where asked */
	int unpack;  /**< ADD --unpack: 1 yes, 0 no, -1 not given */
	size_t from; /**< node the PATHS are in */
	ob_copy_source *sources;
	size_t source_count;
	char *dest;      /**< image path, absolute, trailing '/' kept */
	char *chown;     /**< "user:group" as written, NULL: not given */
	char *chmod;     /**< octal or symbolic, NULL: not given */
	bool keep_owner; /**< --from: ids of the source are kept */
	bool link, parents;
	ob_strlist exclude; /**< patterns */
	char *checksum;     /**< or NULL */
	bool keep_git_dir;
	/** For RUN --mount: the one path means itself, and a directory takes its attributes along. */
	bool as_mount;
} ob_copy_op;

typedef struct ob_workdir_op {
	char *path; /**< image path, absolute */
	char *user; /**< owner of what is made: the stage's USER at this point */
} ob_workdir_op;

#define OB_NO_NODE SIZE_MAX

/** One --mount of a RUN: variables replaced, defaults filled in. */
typedef struct ob_step_mount {
	ob_run_mount_type type;
	size_t from;  /**< BIND: node that is shown; CACHE: that it begins as; or OB_NO_NODE */
	char *target; /**< image path, absolute and clean; NULL: a secret that is no file */
	char *source; /**< BIND, CACHE: what of it is mounted; absolute and clean, "/": all of it */
	char *id;     /**< CACHE: with its name space; SECRET, SSH */
	char *env;    /**< SECRET: the variable that has it, or NULL */
	bool read_only;
	bool required;            /**< SECRET, SSH */
	ob_mount_sharing sharing; /**< CACHE; never UNSET */
	uint64_t size;            /**< TMPFS: 0 without a limit */
	uint32_t mode, uid, gid;  /**< CACHE: of its directory when it is made; SECRET, SSH */
	ob_location at;
} ob_step_mount;

/** RUN: what the command is; root file system and mounts are added when it is executed. */
typedef struct ob_run_op {
	ob_strlist argv;
	ob_strlist env;        /**< image env, ARGs: part of the key */
	ob_strlist secret_env; /**< proxies: in the process, not in the key */
	char *cwd;
	char *user;
	char *hostname; /**< NULL: the usual one */
	ob_network network;
	bool insecure;     /**< all capabilities, no filter */
	ob_heredoc *files; /**< borrowed: placed at /dev/pipes/NAME, executable */
	size_t file_count;
	ob_step_mount *mounts; /**< in the order of the line */
	size_t mount_count;
	size_t ssh_count; /**< of them */
} ob_run_op;

typedef struct ob_step {
	ob_step_op op;
	size_t stage;    /**< node index of its stage */
	uint32_t number; /**< "[stage number/total]"; the FROM of an image is the first */
	uint32_t total;
	char *text;     /**< for people, variables replaced: "RUN apt-get update" */
	ob_location at; /**< of an ONBUILD trigger: the FROM that brought it in */
	size_t history; /**< index in the stage's config->history of the entry it fills */
	ob_copy_op copy;
	ob_workdir_op workdir;
	ob_run_op run;
} ob_step;

typedef struct ob_node {
	ob_node_kind kind;
	char *name;  /**< stage name, "stage-N", or "" for the only one; image; context name */
	char *shown; /**< STAGE: the same for events, with its platform where several are built */
	ob_platform platform;
	bool needed; /**< the target depends on it */
	/* IMAGE */
	ob_image_source *image;
	/* CONTEXT */
	char *dir;         /**< absolute */
	bool is_temporary; /**< made for this build: what is in it is not remembered by its path */
	ob_ignore *ignore; /**< or NULL */
	char *ignore_file; /**< name of the ignore file for messages, or NULL */
	ob_strlist ignore_patterns;
	unsigned *ignore_lines;
	/* TREE */
	ob_tree *tree;
	/* STAGE */
	size_t base; /**< node */
	ob_step *steps;
	size_t step_count;
	ob_config *config; /**< complete but for diff_ids of its own steps and created times */
} ob_node;

/** What is exported: the target stage for one platform. */
typedef struct ob_plan_target {
	size_t node; /**< always a STAGE; targets may share one */
	ob_platform platform;
	ob_config *config; /**< complete but for diff_ids of its own steps and created times */
} ob_plan_target;

typedef struct ob_plan {
	const ob_dockerfile *dockerfile; /**< borrowed */
	ob_node *nodes; /**< in dependency order: a node refers to earlier ones only */
	size_t node_count;
	ob_plan_target *targets; /**< in the order of the platforms; at least one */
	size_t target_count;
	ob_strlist unused_args; /**< --build-arg names nothing consumed, for a warning */
	bool has_epoch; /**< SOURCE_DATE_EPOCH, of the options or of an ARG in the Dockerfile */
	int64_t epoch;
	ob_dockerfile **triggers; /**< ONBUILD instructions that steps borrow from */
	size_t trigger_count;
	ob_remote_context *remotes; /**< named contexts that were fetched */
	size_t remote_count;
	ob_strlist remote_addresses; /**< of @ref remotes */
	ocib_outline *outline;       /**< what the target takes from outside, or NULL */
	ocib_error *missing; /**< checking: why the first base that is missing is not there */
} ob_plan;

typedef struct ob_named_context {
	char *name;
	char *value;      /**< path, docker-image://…, oci-layout://…, … as given */
	bool images_only; /**< stands in for no stage */
} ob_named_context;

typedef struct ob_plan_options {
	const char *context_dir;     /**< absolute; NULL where there is a tree */
	ob_tree *context_tree;       /**< borrowed; a context that is an archive */
	bool context_is_remote;      /**< no ignore file speaks of it */
	const char *dockerfile_path; /**< for its .dockerignore; NULL when it came from stdin */
	const char *target;          /**< or NULL */
	ob_platform platform;        /**< what is built */
	bool platform_given;         /**< asked for, so the image says it whatever its base says */
	const ob_platform *also;     /**< further platforms; each is a target of its own */
	size_t also_count;
	bool show_platforms;          /**< names of stages say their platform */
	const ob_strlist *build_args; /**< KEY=VALUE */
	const ob_strlist *labels;     /**< keys and values alternating */
	const ob_named_context *contexts;
	size_t context_count;
	bool pull;          /**< look in the registry even when the store has the name */
	ob_network network; /**< default for RUN */
	bool allow_insecure, allow_host_network; /**< what a RUN may ask for */
	bool has_epoch;
	int64_t epoch;
	bool has_context_time; /**< the build context has a time, for SOURCE_DATE_EPOCH=context */
	int64_t context_time;
	const ob_secrets *secrets; /**< for named contexts that are elsewhere; or NULL */
	ob_findings *findings;     /**< what the rules of a check find is added; or NULL */
	/** Nothing will be executed, and a base that cannot be had is taken for an empty one: see
	 * ob_plan.missing. All stages are planned unless there is a target or an outline is wanted. */
	bool checking;
	bool outline; /**< make one: ob_plan.outline */
} ob_plan_options;

/**
 * One plan for all platforms: what does not depend on the platform is there once. Rules of a check are
 * applied for the first.
 *
 * Several bases are resolved side by side on threads, so a context with a listener must be pumped.
 * Kinds: SYNTAX and UNSUPPORTED (located), NOTFOUND (base, stage), LIMIT, NETWORK, PROTOCOL …
 */
ocib_errc ob_plan_make(ocib_context *ctx, ob_image_sources *sources,
		       const ob_dockerfile *dockerfile, const ob_plan_options *options,
		       ob_plan **out, ocib_error **err);
ob_plan *ob_plan_free(ob_plan *plan);
OB_DEFINE_AUTO(ob_plan);

#endif
