/* cli/release/release_git.h — questions to the git program. */
#ifndef CLI_RELEASE_GIT_H
#define CLI_RELEASE_GIT_H

#include "text_pool.h"

typedef struct git_answer {
	bool found;       /**< is there a git program at all? */
	int status;       /**< of git; 0: the answer is good */
	const char *text; /**< standard output, without the last newline; NUL bytes are kept */
	size_t len;
	const char *error; /**< first line of standard error */
} git_answer;

/** @param args after "git", NULL-terminated. git_answer.found is false when there is no git. */
git_answer git_ask(text_pool *pool, const char *const *args);
#define GIT_ASK(pool, ...) git_ask((pool), (const char *const[]){__VA_ARGS__, NULL})

#endif
