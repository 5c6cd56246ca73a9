/* dockerfile/run_mount.h — RUN --mount=… and --device=…: one comma-separated value, typed.
 *
 * A --mount may use variables in every value but "from", so it is looked at twice, as BuildKit does:
 * ob_run_mount_check() when the Dockerfile is parsed says what can be said without them;
 * ob_run_mount_parse() when the step is planned gives the mount. Options are taken in order:
 * "required" and "size" look at the type seen so far.
 */
#ifndef OB_DOCKERFILE_RUN_MOUNT_H
#define OB_DOCKERFILE_RUN_MOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/error.h"

typedef enum ob_run_mount_type {
	OB_RUN_MOUNT_BIND = 1,
	OB_RUN_MOUNT_CACHE,
	OB_RUN_MOUNT_TMPFS,
	OB_RUN_MOUNT_SECRET,
	OB_RUN_MOUNT_SSH
} ob_run_mount_type;

typedef enum ob_mount_sharing {
	OB_SHARING_UNSET,
	OB_SHARING_SHARED,
	OB_SHARING_PRIVATE,
	OB_SHARING_LOCKED
} ob_mount_sharing;

/** Strings are NULL when not given (an empty value counts as not given, but for env). */
typedef struct ob_run_mount {
	ob_run_mount_type type; /**< default bind */
	char *from, *source, *target;
	char *id;                 /**< cache, secret, ssh */
	bool read_only;           /**< default: true but for cache and tmpfs */
	bool required;            /**< secret, ssh */
	ob_mount_sharing sharing; /**< cache */
	int64_t size;             /**< tmpfs: bytes, 0 without a limit */
	bool has_mode, has_uid, has_gid;
	uint32_t mode, uid, gid; /**< cache, secret, ssh */
	char *env; /**< secret as a variable of this name; "": of the default name; or NULL */
} ob_run_mount;

/** Expand the variables of one value. */
typedef ocib_errc (*ob_word_expander)(void *user, const char *word, char **out, ocib_error **err);

/** What is wrong whatever the variables are: CSV, a variable in "from". Kinds: SYNTAX (no location). */
ocib_errc ob_run_mount_check(const char *text, ocib_error **err);
/** What "from" names, which has no variables; *out stays NULL when it is not given. Kinds: SYNTAX. */
ocib_errc ob_run_mount_from(const char *text, char **out, ocib_error **err);
/** @p expand may be NULL: values are taken as they are. Kinds: SYNTAX (no location). */
ocib_errc ob_run_mount_parse(const char *text, ob_word_expander expand, void *user,
			     ob_run_mount *out, ocib_error **err);
void ob_run_mount_done(ob_run_mount *mount);

typedef struct ob_run_device {
	char *name; /**< NULL when not given */
	bool required;
} ob_run_device;

ocib_errc ob_run_device_parse(const char *text, ob_run_device *out, ocib_error **err);
void ob_run_device_done(ob_run_device *device);

#endif
