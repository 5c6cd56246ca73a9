/* cli/build_outputs.h — --output SPEC: comma-separated KEY=VALUE, docker's spellings. */
#ifndef CLI_BUILD_OUTPUTS_H
#define CLI_BUILD_OUTPUTS_H

#include "cli.h"

typedef struct build_outputs {
	ocib_output *items;
	size_t len;
	char **texts; /**< copies that the items point into */
} build_outputs;

/** Parse all specs into @p out and put them, with compression settings, into @p options. */
int build_outputs_parse(const cli_command *command, const cli_list *specs, bool also_store,
			build_outputs *out, ocib_build_options *options);
void build_outputs_done(build_outputs *outputs);

#endif
