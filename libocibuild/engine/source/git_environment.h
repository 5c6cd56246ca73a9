/* engine/source/git_environment.h — what git is told besides its arguments. */
#ifndef OB_ENGINE_GIT_ENVIRONMENT_H
#define OB_ENGINE_GIT_ENVIRONMENT_H

#include "base/strlist.h"
#include "engine/source/git_command.h"

/** All of it, credentials among it: to be wiped. Kinds: INVALID (a secret that cannot be a header). */
ocib_errc ob_git_environment(const ob_git_command *git, ob_strlist *out, ocib_error **err);

#endif
