/* engine/source/git_command.h — one call of the git command, away from everybody's configuration. */
#ifndef OB_ENGINE_GIT_COMMAND_H
#define OB_ENGINE_GIT_COMMAND_H

#include "base/buffer.h"
#include "base/context.h"
#include "engine/source/git_address.h"
#include "engine/source/secrets.h"

typedef struct ob_git_command {
	ocib_context *ctx;
	const ob_git_address *address; /**< for its credentials */
	const ob_secrets *secrets;     /**< the same; or NULL */
	const char *dir;               /**< where it runs, or NULL: "/" */
	const char *ssh_agent;         /**< socket of the agent that ssh may ask; or NULL */
	bool may_use_keys; /**< ssh may take the keys of who runs us: a person named the repository */
} ob_git_command;

/**
 * Run "git ARGS…" (NULL-terminated), its output to @p out (may be NULL).
 * Kinds: NOTFOUND (there is no such repository), NETWORK (whatever else git says), DENIED (no git, offline),
 * LIMIT, CANCELED.
 */
ocib_errc ob_git_run(const ob_git_command *git, const char *const *args, ob_buffer *out,
		     ocib_error **err);

#endif
