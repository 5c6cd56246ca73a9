/* cli/build_secrets.h — --secret id=ID[,src=FILE|,env=VARIABLE]: comma-separated KEY=VALUE, docker's spellings. */
#ifndef CLI_BUILD_SECRETS_H
#define CLI_BUILD_SECRETS_H

#include "cli.h"

typedef struct build_secrets {
	ocib_secret *items;
	char **texts; /**< copies that the items point into; NULL-terminated */
} build_secrets;

/** Parse all specs into @p out and put them into @p options. */
int build_secrets_parse(const cli_command *command, const cli_list *specs, build_secrets *out,
			ocib_build_options *options);
void build_secrets_done(build_secrets *secrets);

#endif
