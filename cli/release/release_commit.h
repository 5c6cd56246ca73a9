/* cli/release/release_commit.h — which commit is released: what git says, or else what the CI says. */
#ifndef CLI_RELEASE_COMMIT_H
#define CLI_RELEASE_COMMIT_H

#include <stdint.h>
#include "text_pool.h"

typedef struct release_commit {
	const char *id;   /**< 40 or 64 hex digits; "" when it is not known */
	const char *from; /**< "git", or the variable it came from */
	bool has_time;
	int64_t time;       /**< of the commit */
	const char *dirty;  /**< a file that is not as it was committed, NULL: none */
	const char *source; /**< URL of the repository, "" when it is not known */
	bool has_git;       /**< questions about history can be asked */
	bool is_shallow;
	bool is_unreadable; /**< there is a repository, but git does not say what HEAD is */
	const char *why;    /**< why id is "", or why git says nothing; "" when all is well */
	const char *note;   /**< something worth saying, or NULL */
} release_commit;

/** @param store a directory that does not make the tree dirty, or NULL. @return false after a report. */
bool release_commit_find(text_pool *pool, const char *store, release_commit *out);

/** How one commit relates to the one that is released. */
typedef enum commit_order {
	COMMIT_UNKNOWN, /**< not in this clone */
	COMMIT_SAME,
	COMMIT_BEFORE, /**< the other is an ancestor of ours */
	COMMIT_AFTER,  /**< ours is an ancestor of the other */
	COMMIT_DIVERGED
} commit_order;
commit_order release_commit_compare(text_pool *pool, const release_commit *commit,
				    const char *other);
/**
 * Files that differ between @p other and the tree that is built, relative to the top of the repository.
 * @return false when that cannot be said, with the reason in *why.
 */
bool release_commit_changes(text_pool *pool, const release_commit *commit, const char *other,
			    text_list *out, const char **why);
/** Is this a full commit id? */
bool release_commit_is_id(const char *text);

#endif
