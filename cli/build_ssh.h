/* cli/build_ssh.h — --ssh default|ID[=SOCKET|=KEY[,KEY…]]: docker's spellings. */
#ifndef CLI_BUILD_SSH_H
#define CLI_BUILD_SSH_H

#include "cli.h"

typedef struct build_ssh {
	ocib_ssh *items;
	const char ***paths; /**< of each item; NULL-terminated */
	char **texts;        /**< copies that all of it points into; NULL-terminated */
} build_ssh;

/** Parse all specs into @p out and put them into @p options. */
int build_ssh_parse(const cli_command *command, const cli_list *specs, build_ssh *out,
		    ocib_build_options *options);
void build_ssh_done(build_ssh *ssh);

#endif
