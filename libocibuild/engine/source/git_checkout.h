/* engine/source/git_checkout.h — which commit a git address means, and the files of that commit. */
#ifndef OB_ENGINE_GIT_CHECKOUT_H
#define OB_ENGINE_GIT_CHECKOUT_H

#include "engine/source/git_command.h"

#define OB_COMMIT_ID_LEN 64

typedef struct ob_git_commit {
	char id[OB_COMMIT_ID_LEN +
		1]; /**< what the reference points to: a commit, or a tag object */
	char tree[OB_COMMIT_ID_LEN +
		  1]; /**< the commit itself, as far as it is known without fetching */
	char *ref;    /**< full reference; NULL where the address names a commit */
} ob_git_commit;
void ob_git_commit_done(ob_git_commit *commit);

/**
 * Ask the repository, unless the address names a whole commit: then nobody is asked.
 * Kinds: NOTFOUND (repository, reference), CORRUPT (checksum), NETWORK, DENIED, CANCELED.
 */
ocib_errc ob_git_resolve(const ob_git_command *git, ob_git_commit *out, ocib_error **err);

/**
 * Its files, submodules included, into the empty directory @p dir; ".git" stays where the address or
 * @p keep_git_dir say so and no part of the repository is asked for.
 * @param root receives the absolute path of what the address means in it: dir, or a directory below it.
 * @param time receives when the commit was made; may be NULL.
 * Kinds: those of ob_git_resolve().
 */
ocib_errc ob_git_checkout(const ob_git_command *git, const ob_git_commit *commit, const char *dir,
			  bool keep_git_dir, char **root, int64_t *time, ocib_error **err);

#endif
