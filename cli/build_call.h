/* cli/build_call.h — --check and --call: what `build` is asked for instead of an image. */
#ifndef CLI_BUILD_CALL_H
#define CLI_BUILD_CALL_H

#include "cli.h"

typedef enum build_call_method {
	BUILD_CALL_NONE, /**< build */
	BUILD_CALL_CHECK,
	BUILD_CALL_OUTLINE,
	BUILD_CALL_TARGETS
} build_call_method;

typedef enum build_call_format { CALL_TEXT, CALL_JSON, CALL_SARIF } build_call_format;

typedef struct build_call {
	build_call_method method;
	build_call_format format;
	int ignore_status; /**< findings are no reason for a status other than 0 */
} build_call;

/** "METHOD[,format=FORMAT][,ignorestatus=BOOL]", NULL when not given; @p check: --check was. */
int build_call_parse(const cli_command *command, const char *spec, int check, build_call *out);
/** Do it and print the result. @return an exit status. */
int build_call_run(cli *app, const build_call *call, const ocib_build_options *options);

/* How results look; all on standard output. */
void check_print_text(const ocib_check *check);
void check_print_json(const ocib_check *check);
/** @p path is how the Dockerfile is found from the working directory. */
void check_print_sarif(const ocib_check *check, const char *path);
void outline_print_text(const ocib_outline *outline);
void outline_print_json(const ocib_outline *outline);
void targets_print_text(const ocib_targets *targets);
void targets_print_json(const ocib_targets *targets);

#endif
