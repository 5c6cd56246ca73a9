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
	const char *const *env;        /**< "KEY=VALUE", NULL-terminated */
	const char *const *volumes;    /**< "HOST:CONTAINER[:ro]", NULL-terminated */
	const char *working_dir;
	const char *user;
	const char *hostname;
	const char *network; /**< "host" (default) or "none" */
	int read_only;       /**< non-zero: the root cannot be written */
	int stdio[3];        /**< with has_stdio: fds for 0, 1, 2; else the caller's own */
	int has_stdio;
	int signal_fd; /**< pipe of single bytes, signal numbers to pass on; 0: none */
} ocib_run_options;
#define OCIB_RUN_OPTIONS_INIT OCIB_OPTIONS_INIT(ocib_run_options)

/** Run to the end. @param exit_status the command's, 128 + signal when a signal ended it. */
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
