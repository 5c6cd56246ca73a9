/* engine/run/volume_spec.c — a part of the host's files in the container.
 *
 * Only what is there can be shown: docker would make a missing directory, and a mistyped name would go
 * unnoticed. A word alone is a volume that docker keeps by that name; there is none here.
 */
#include "engine/run/volume_spec.h"
#include <string.h>
#include "base/paths.h"
#include "base/strings.h"

static ocib_errc find_source(const char *text, const char *host, char **out, ocib_error **err)
{
	if (!strchr(host, '/') && host[0] != '.') {
		ob_fail(err, OCIB_ERR_INVALID,
			"volume '%s': there are no named volumes; '%s' as a path is './%s'", text,
			host, host);
		return OCIB_ERR_INVALID;
	}
	*out = realpath(host, NULL);
	if (!*out && errno == ENOENT)
		return ob_fail(err, OCIB_ERR_NOTFOUND,
			       "volume '%s': '%s' does not exist on this machine", text, host);
	return *out ? OCIB_OK : ob_fail_errno(err, "volume '%s': find '%s'", text, host);
}

static ocib_errc parse_mode(const char *text, const char *mode, ob_mount *mount, ocib_error **err)
{
	mount->read_only = mode && ob_str_eq(mode, "ro");
	if (!mode || mount->read_only || ob_str_eq(mode, "rw"))
		return OCIB_OK;
	return ob_fail(err, OCIB_ERR_INVALID, "volume '%s': the mode is ro or rw, not '%s'", text,
		       mode);
}

ocib_errc ob_volume_spec_parse(const char *text, ob_mount *mount, ocib_error **err)
{
	const char *target = strchr(text, ':');
	size_t len = target ? strcspn(target + 1, ":") : 0;
	const char *mode = target && target[1 + len] ? target + 2 + len : NULL;

	*mount = (ob_mount){.kind = OB_MOUNT_BIND};
	if (!target || target == text || target[1] != '/')
		return ob_fail(err, OCIB_ERR_INVALID,
			       "a volume is HOST:CONTAINER[:ro] with an absolute CONTAINER, not "
			       "'%s'",
			       text);
	ob_autofree char *host = strndup(text, (size_t)(target - text));
	ob_autofree char *raw = strndup(target + 1, len);
	mount->target = raw ? ob_path_clean(raw) : NULL;
	if (!host || !mount->target)
		return ob_fail_nomem(err);
	if (ob_str_eq(mount->target, "/"))
		return ob_fail(err, OCIB_ERR_INVALID, "volume '%s': the root is the image's", text);
	ocib_errc r = parse_mode(text, mode, mount, err);
	return r < 0 ? r : find_source(text, host, &mount->source, err);
}
