/* cli/build_result.h — what a build tells when it is done. */
#ifndef CLI_BUILD_RESULT_H
#define CLI_BUILD_RESULT_H

#include "cli.h"

typedef struct build_report {
	const char *iidfile, *metadata_file; /**< NULL: not wanted */
	const cli_list *tags;
	int quiet;
} build_report;

/** Files, and a line for people or for scripts. @return an exit status; failures are reported. */
int build_report_show(cli *app, const build_report *report, const ocib_image *image);

#endif
