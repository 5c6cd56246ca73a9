/* sandbox/idmap.h — the ids an ordinary user may use: subordinate ranges and the programs that map them. */
#ifndef OB_SANDBOX_IDMAP_H
#define OB_SANDBOX_IDMAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/error.h"

#define OB_MAX_ID_RANGES 32

typedef struct ob_id_range {
	uint32_t start, count;
} ob_id_range;

/** What /etc/subuid or /etc/subgid gives a user, by name and by number. */
typedef struct ob_id_ranges {
	ob_id_range items[OB_MAX_ID_RANGES];
	size_t len;
	uint64_t total;      /**< ids in them */
	uint64_t free_start; /**< the first id from 100000 on that no line of the file reaches */
} ob_id_ranges;

/** An absent file is an empty one. Kinds: LIMIT, SYSTEM. */
ocib_errc ob_id_ranges_read(const char *path, uid_t uid, const char *user_name, ob_id_ranges *out,
			    ocib_error **err);
/** Parse the text of such a file. */
void ob_id_ranges_parse(const char *text, uid_t uid, const char *user_name, ob_id_ranges *out);

/** The name of a user; "" when it has none. @p out needs 256 bytes. */
void ob_user_name(uid_t uid, char *out);
/** Full path of newuidmap or newgidmap; NULL when it is not installed. Static. */
const char *ob_idmap_program(bool is_gid);

/**
 * Give process @p pid, which is in a new user namespace of ours, our own ids as 0 and the ranges from 1
 * on. Kinds: DENIED, with a hint that names the remedy.
 */
ocib_errc ob_idmap_write(pid_t pid, ocib_error **err);

/** How many ids this process's user namespace has; UINT32_MAX for the machine's own. */
uint64_t ob_idmap_count(void);
/** Is this process in the machine's own user namespace? */
bool ob_is_initial_user_namespace(void);

#endif
