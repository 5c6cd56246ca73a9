/* sandbox/run_user.h — the ids that USER names, by the image's own /etc/passwd and /etc/group. */
#ifndef OB_SANDBOX_RUN_USER_H
#define OB_SANDBOX_RUN_USER_H

#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

typedef struct ob_run_user {
	uint32_t uid, gid;
	gid_t *groups; /**< supplementary, the primary one among them */
	size_t group_count;
	char *home;
} ob_run_user;
void ob_run_user_done(ob_run_user *user);

/**
 * @param text "", "name", "id", "name:group", "id:id" …
 * Kinds: NOTFOUND (a name that the files do not have), LIMIT (files too big).
 */
ocib_errc ob_run_user_lookup(int rootfd, const char *text, ob_run_user *out, ocib_error **err);

/** The same on texts of the two files; NULL: the file does not exist. */
ocib_errc ob_run_user_parse(const char *passwd, const char *group, const char *text,
			    ob_run_user *out, ocib_error **err);

#endif
