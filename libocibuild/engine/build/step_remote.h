/* engine/build/step_remote.h — what an ADD takes from URLs and git repositories. */
#ifndef OB_ENGINE_BUILD_STEP_REMOTE_H
#define OB_ENGINE_BUILD_STEP_REMOTE_H

#include "engine/build/build.h"
#include "engine/source/git_checkout.h"

/** One source of a step, as far as it is known. */
typedef struct ob_step_remote {
	ob_git_address address; /**< GIT */
	ob_git_commit commit;
	char *temp;   /**< GIT: the checkout, relative to the store */
	ob_node node; /**< GIT: the checkout as a context */
} ob_step_remote;

typedef struct ob_step_remotes {
	ob_store *store; /**< borrowed */
	ob_step_remote *items;
	ob_copy_remote *inputs; /**< for the copy */
	size_t count;           /**< sources of the step; 0 where none is remote */
} ob_step_remotes;
void ob_step_remotes_done(ob_step_remotes *remotes);

/**
 * Find out what every remote source is now: files behind URLs are brought into the store, git
 * repositories are asked for the commit. What the Dockerfile pins is not looked at.
 */
ocib_errc ob_step_remotes_resolve(ob_build *build, const ob_step *step, ob_step_remotes *remotes,
				  ocib_error **err);
/** Digest of what was found: with the step it determines what is taken. */
ocib_errc ob_step_remotes_digest(const ob_step *step, const ob_step_remotes *remotes,
				 uint8_t out[OB_SHA256_LEN], ocib_error **err);
/** Bring here what is not here yet. */
ocib_errc ob_step_remotes_fetch(ob_build *build, const ob_step *step, ob_step_remotes *remotes,
				ocib_error **err);

#endif
