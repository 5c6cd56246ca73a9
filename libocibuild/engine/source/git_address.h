/* engine/source/git_address.h — what a git URL of a Dockerfile or a context says.
 *
 *   https://host/repo.git#REF:DIR
 *   git@host:repo.git?ref=REF&subdir=DIR&checksum=COMMIT&keep-git-dir=1&submodules=0
 */
#ifndef OB_ENGINE_GIT_ADDRESS_H
#define OB_ENGINE_GIT_ADDRESS_H

#include <stdbool.h>
#include "base/error.h"

typedef struct ob_git_address {
	char *remote;     /**< for git, without user and password where it is http or https */
	char *user;       /**< of an http or https URL, decoded; or NULL */
	char *password;   /**< the same */
	char *ref;        /**< branch, tag, full reference or commit; NULL: the default branch */
	char *subdir;     /**< clean and relative; NULL: the whole */
	char *checksum;   /**< the beginning of a commit's id; or NULL */
	int keep_git_dir; /**< 1 yes, 0 no, -1 not said */
	int submodules;   /**< the same; -1 means yes */
	bool commit_time; /**< files get the time of the commit */
	bool by_commit;   /**< checksum is a whole id: believed without looking at ref */
} ob_git_address;
void ob_git_address_done(ob_git_address *address);

/** A git repository: git://, ssh://, user@host:path, and http(s):// when the path ends in ".git". */
bool ob_is_git_address(const char *text);
/** Is it reached by ssh? Of a parsed address's remote. */
bool ob_is_ssh_address(const char *remote);
/** http:// or https://, and no git repository. */
bool ob_is_file_url(const char *text);
/**
 * By BuildKit's rules. "github.com/user/repo" is an address, too.
 * Kinds: INVALID: it is none, or its query or reference cannot be.
 */
ocib_errc ob_git_address_parse(const char *text, ob_git_address *out, ocib_error **err);

/** A commit's whole id: 40 or 64 small hexadecimal digits. */
bool ob_is_commit_id(const char *text);

#endif
