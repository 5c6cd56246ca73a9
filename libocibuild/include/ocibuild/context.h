/* ocibuild/context.h — what every call of a program shares: the event callback, cancellation, settings.
 *
 * A context is created first and passed to constructors and to the calls that take time. The library has
 * no global state and no init call.
 *
 * Thread rule: a context may be shared by threads. Events of a call are delivered on the thread that made
 * the call. ocib_context_cancel() may be called from any thread and from a signal handler.
 */
#ifndef OCIBUILD_CONTEXT_H
#define OCIBUILD_CONTEXT_H

#include <stddef.h>
#include <stdint.h>
#include <ocibuild/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ocib_context ocib_context;

/** What happened. Values are append-only. */
typedef enum ocib_event_type {
	OCIB_EVENT_STEP_STARTED = 1, /**< u.step */
	OCIB_EVENT_STEP_CACHED,      /**< u.step; instead of started/done */
	OCIB_EVENT_STEP_DONE,        /**< u.step, with elapsed_ms */
	OCIB_EVENT_STEP_FAILED,      /**< u.step; the call's error has the rest */
	OCIB_EVENT_OUTPUT,   /**< u.output: a line, or a piece of a long one, that a RUN wrote */
	OCIB_EVENT_PROGRESS, /**< u.progress: bytes of a transfer or another long task */
	OCIB_EVENT_WARNING,  /**< u.message: something the user should mend */
	OCIB_EVENT_NOTE,     /**< u.message: one line worth knowing (the rung, what was pushed) */
	OCIB_EVENT_DEBUG,    /**< u.message: for --log-level debug */
	/** ocib_run(): the command runs; signals are passed on from now. u.message: its network. */
	OCIB_EVENT_COMMAND_STARTED,
	OCIB_EVENT_PORT, /**< u.message: "HOST -> PORT", a published port */
	OCIB_EVENT_HEALTH /**< u.message: "starting", "healthy" or "unhealthy: WHY", when it changes */
} ocib_event_type;

/** A step of a build. Steps are numbered from 1 within a stage, as in the Dockerfile. */
typedef struct ocib_event_step {
	uint32_t id;         /**< unique in this call; outputs and progress refer to it */
	const char *stage;   /**< stage name or number as text; "" for what belongs to none */
	uint32_t number;     /**< 0: not a numbered step (loading, exporting) */
	uint32_t total;      /**< numbered steps of the stage */
	const char *text;    /**< e.g. "RUN apt-get update" or "exporting to store" */
	uint64_t elapsed_ms; /**< for done and failed */
} ocib_event_step;

typedef struct ocib_event_output {
	uint32_t step;    /**< ocib_event_step.id */
	int stream;       /**< 1 standard output, 2 standard error */
	const char *text; /**< without the newline; any bytes but NUL are replaced by nothing */
	size_t len;
	int partial; /**< non-zero: the line goes on in the next event */
} ocib_event_output;

typedef struct ocib_event_progress {
	uint32_t step;      /**< ocib_event_step.id, 0 if none */
	const char *id;     /**< what is moving, e.g. a short digest; unique within the step */
	const char *action; /**< "pulling", "pushing", "unpacking", "compressing" … */
	uint64_t current;   /**< bytes so far */
	uint64_t total;     /**< bytes in all, 0 when unknown; current == total means finished */
} ocib_event_progress;

typedef struct ocib_event_message {
	const char *text;
	const char *file; /**< Dockerfile, or NULL */
	unsigned line;    /**< 0 when there is none */
	/* What a check found, a warning of a build, has these as well; else they are NULL. */
	const char *rule;    /**< an ocib_check_rule.name */
	const char *url;     /**< a page about the rule, or NULL */
	const char *excerpt; /**< the source lines, ready to print */
} ocib_event_message;

/** One event. All pointers are borrowed for the duration of the callback. */
typedef struct ocib_event {
	ocib_event_type type;
	union {
		ocib_event_step step;
		ocib_event_output output;
		ocib_event_progress progress;
		ocib_event_message message;
	} u;
} ocib_event;

/** @return 0 to go on; anything else cancels the call, which then fails with OCIB_ERR_CANCELED. */
typedef int (*ocib_event_fn)(const ocib_event *event, void *user);

/** Settings of a context. Start from OCIB_CONTEXT_OPTIONS_INIT; a zero field means its default. */
typedef struct ocib_context_options {
	size_t size;            /**< sizeof this struct, set by the initialiser */
	ocib_event_fn on_event; /**< default: events are dropped */
	void *user;             /**< handed to on_event */
	/** The ocibuild-worker executable; default $OCIBUILD_WORKER, then the installed one. */
	const char *worker_path;
	uint32_t jobs; /**< threads for compression and steps at once; default: online CPUs */
	/** Where config.json is; default $DOCKER_CONFIG, then ~/.docker. */
	const char *docker_config_dir;
	int offline; /**< non-zero: any use of a network is an error */
	int debug;   /**< non-zero: OCIB_EVENT_DEBUG is sent */
} ocib_context_options;
#define OCIB_CONTEXT_OPTIONS_INIT OCIB_OPTIONS_INIT(ocib_context_options)

/** @param options NULL for all defaults; copied. @param out free with ocib_context_free(). */
OCIB_API ocib_errc ocib_context_new(const ocib_context_options *options, ocib_context **out,
				    ocib_error **err);
OCIB_API ocib_context *ocib_context_free(ocib_context *ctx);
/** Make the calls under way end soon with OCIB_ERR_CANCELED. Async-signal-safe; stays in force. */
OCIB_API void ocib_context_cancel(ocib_context *ctx);

/** "0.1.0". Static. */
OCIB_API const char *ocib_version(void);
#define OCIB_VERSION_MAJOR 0
#define OCIB_VERSION_MINOR 1
#define OCIB_VERSION_PATCH 0

#ifdef __cplusplus
}
#endif
#endif
