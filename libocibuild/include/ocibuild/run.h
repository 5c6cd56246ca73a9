/* ocibuild/run.h — start a local image to try it; and what this machine allows. */
#ifndef OCIBUILD_RUN_H
#define OCIBUILD_RUN_H

#include <ocibuild/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Start from OCIB_RUN_OPTIONS_INIT; a zero field means what the image says. */
typedef struct ocib_run_options {
	size_t size;
	const char *const *args;       /**< replaces CMD; NULL-terminated */
	const char *const *entrypoint; /**< replaces ENTRYPOINT (and CMD); NULL-terminated */
	/** "KEY=VALUE", or "KEY" for the value it has in this process: removed where it has none.
	 *  NULL-terminated. */
	const char *const *env;
	const char *const *volumes; /**< "HOST:CONTAINER[:ro]", NULL-terminated */
	const char *working_dir;
	const char *user;
	const char *hostname;
	/** "host" or "none"; default: host, unless @ref publish needs a network of the container's own. */
	const char *network;
	int read_only; /**< non-zero: the root cannot be written */
	int stdio[3];  /**< with has_stdio: fds for 0, 1, 2; else the caller's own */
	int has_stdio;
	/** Pipe of single bytes, signal numbers to pass on; 0: none. SIGINT and SIGTERM ask the command to
	 *  end with its stop signal, and it is killed when it has not done so in time, or at the second;
	 *  SIGWINCH means that the caller's terminal has another size. */
	int signal_fd;
	/** Files of variables by the rules of docker run; @ref env goes over them. NULL-terminated. */
	const char *const *env_files;
	const char *const
		*publish; /**< "[IP:][HOST:]CONTAINER[/tcp]", also ranges; NULL-terminated */
	int interactive;  /**< non-zero: it reads from stdio[0]; else from /dev/null */
	/** Non-zero: its streams are a terminal of its own, joined to stdio[0] and stdio[1]. While it
	 *  runs, stdio[0] is in raw mode if it is a terminal. */
	int terminal;
	const char *stop_signal; /**< instead of the image's */
	uint32_t stop_seconds;   /**< from the stop signal to SIGKILL; default 10 */
	int no_healthcheck;      /**< non-zero: HEALTHCHECK is not executed */
	const char *platform;    /**< which image of an index; default this machine's */
} ocib_run_options;
#define OCIB_RUN_OPTIONS_INIT OCIB_OPTIONS_INIT(ocib_run_options)

/**
 * Run to the end. OCIB_EVENT_COMMAND_STARTED, _PORT and _HEALTH tell how it goes.
 * @param exit_status the command's, 128 + signal when a signal ended it.
 */
OCIB_API ocib_errc ocib_run(ocib_context *ctx, ocib_store *store, const char *image,
			    const ocib_run_options *options, int *exit_status, ocib_error **err);

/** One line of ocib_doctor(): kind 'f' fact, 'p' problem, 'r' remedy. */
typedef int (*ocib_doctor_fn)(char kind, const char *text, void *user);
/** Say what this machine allows. @param rung receives a static name: "root", "ranges", … "none". */
OCIB_API ocib_errc ocib_doctor(ocib_context *ctx, ocib_store *store, ocib_doctor_fn each,
			       void *user, const char **rung, ocib_error **err);

#ifdef __cplusplus
}
#endif
#endif
