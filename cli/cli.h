/* cli/cli.h — what the commands share: option tables, the context with its progress view, reports.
 *
 * The command is made of libocibuild's public headers alone. A command is a table of options that are
 * parsed into its own struct, and a function. Results go to standard output, everything else to
 * standard error.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>
#include <stddef.h>
#include <ocibuild/ocibuild.h>

/* Exit statuses: cli.md's table. */
enum {
	EXIT_OK = 0,
	EXIT_OTHER = 1,
	EXIT_USAGE = 2,
	EXIT_DOCKERFILE = 3,
	EXIT_NOT_FOUND = 4,
	EXIT_RUN_FAILED = 5,
	EXIT_NETWORK = 6,
	EXIT_NOT_ALLOWED = 7
};

/** Values of a repeatable option; NULL-terminated, borrowed from argv. */
typedef struct cli_list {
	const char **items;
	size_t len;
} cli_list;

typedef enum cli_option_kind {
	CLI_FLAG,   /* int; --x, --x=true, --x=false */
	CLI_STRING, /* const char * */
	CLI_LIST,   /* cli_list */
	CLI_NOT_YET /* known to cli.md, not to this version: a usage error that says so */
} cli_option_kind;

typedef struct cli_option {
	const char *name; /**< without "--" */
	char letter;      /**< 0: none */
	cli_option_kind kind;
	size_t offset;        /**< of the value in the command's struct */
	const char *argument; /**< how help names the value */
	const char *help;
} cli_option;
#define CLI_OPTIONS_END                          \
	{                                        \
		NULL, 0, CLI_FLAG, 0, NULL, NULL \
	}

typedef struct cli cli;

typedef struct cli_command {
	const char *name;
	const char *usage;   /**< arguments after the name */
	const char *summary; /**< one line for `ocibuild help` */
	const cli_option *options;
	bool stop_at_first; /**< options end at the first argument (`run IMAGE ARG…`) */
	int (*run)(cli *app, const struct cli_command *self, int argc, char **argv);
} cli_command;

extern const cli_command cli_command_build, cli_command_run, cli_command_images, cli_command_tag,
	cli_command_rmi, cli_command_inspect, cli_command_history, cli_command_pull,
	cli_command_push, cli_command_release, cli_command_import, cli_command_copy,
	cli_command_doctor, cli_command_fsck;
const cli_command *cli_find_command(const char *name);

/** The running program: global options, context, store, progress view. */
struct cli {
	const char *store_path;
	const char *log_level;
	bool debug;
	const char *progress; /**< auto, tty, plain, quiet, rawjson */
	bool offline;
	unsigned jobs;
	ocib_event_fn on_event; /**< NULL: straight to the view; else it passes events on to it */
	void *on_event_user;
	ocib_context *context;
	ocib_store *store;
	struct progress *view;
};

/** Context (and store) with the progress view; a failure is reported. @return an exit status. */
int cli_open(cli *app, bool with_store);
void cli_close(cli *app);
/** The signal that interrupted us, 0 when none has. */
int cli_interrupted(void);

/* option_table.c */
/** Parse into @p values; *rest and *rest_len get the arguments. Reports. @return EXIT_OK, EXIT_USAGE, or
 *  -1 when --help was printed. */
int cli_parse(const cli_command *command, int argc, char **argv, void *values, char ***rest,
	      int *rest_len);
/** @p text is borrowed. -1: no memory. */
int cli_list_add(cli_list *list, const char *text);
void cli_list_free(cli_list *list);
void cli_print_help(const cli_command *command);
/** "ocibuild NAME: text" and where to read on. @return EXIT_USAGE. */
int cli_usage_error(const cli_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool cli_parse_size(const char *text, uint64_t *out); /**< "64m", "1g", bytes */
bool cli_parse_number(const char *text, int64_t *out);

/* nearest.c */
typedef struct cli_nearest_state {
	const char *name; /**< the best candidate so far; NULL: none is near */
	unsigned distance;
} cli_nearest_state;
/** Offer one candidate for a mistyped word. */
void cli_nearest(const char *word, size_t len, const char *candidate, cli_nearest_state *state);

/* report.c */
/** Print an error and free it. @return the exit status of cli.md for it. */
int cli_report(const cli *app, ocib_error *err);
int cli_show_error(const cli *app, const ocib_error *err); /**< the same without freeing it */
void cli_print_json_string(const char *text, size_t len);  /**< quoted, to standard output */
void cli_format_json_string(FILE *to, const char *text, size_t len);
/** "12.3MB" as docker writes sizes. @p out 16 bytes. */
void cli_format_size(uint64_t bytes, char *out);

#endif
