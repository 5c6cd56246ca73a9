/* layer/member_name.c — tar member names to entry paths and back; see member_name.h.
 *
 * The only place that knows how a whiteout is spelled. Names are bytes: nothing here looks at the
 * locale, and what an error shows of a name is escaped, since the name is the attacker's choice.
 */
#include "layer/member_name.h"
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/paths.h"
#include "base/strings.h"

#define PREFIX_LEN  (sizeof(OB_WHITEOUT_PREFIX) - 1)
#define AUFS_PREFIX ".wh..wh."

const char *ob_member_show(const char *name, char out[OB_MEMBER_SHOWN])
{
	size_t len = 0;

	for (; *name && len + sizeof("\\377...") < OB_MEMBER_SHOWN; name++) {
		unsigned char c = (unsigned char)*name;

		if (c >= ' ' && c < 0x7f && c != '\\' && c != '\'')
			out[len++] = (char)c;
		else
			len += (size_t)snprintf(out + len, OB_MEMBER_SHOWN - len, "\\%03o", c);
	}
	(void)snprintf(out + len, OB_MEMBER_SHOWN - len, "%s", *name ? "..." : "");
	return out;
}

static ocib_errc check_components(const char *name, bool strict, ocib_error **err)
{
	char shown[OB_MEMBER_SHOWN];
	size_t depth = 0;

	for (const char *p = name; *p;) {
		size_t len = strcspn(p, "/");

		if (strict && len == 2 && p[0] == '.' && p[1] == '.')
			return ob_fail(err, OCIB_ERR_CORRUPT, "the name '%s' climbs out with '..'",
				       ob_member_show(name, shown));
		if (++depth > OB_LIMIT_PATH_DEPTH)
			return ob_fail(err, OCIB_ERR_LIMIT, "the name '%s' has more than %d levels",
				       ob_member_show(name, shown), OB_LIMIT_PATH_DEPTH);
		p += len;
		p += strspn(p, "/");
	}
	return OCIB_OK;
}

ocib_errc ob_member_name_parse(const char *name, bool strict, char **path, ocib_error **err)
{
	char shown[OB_MEMBER_SHOWN];

	if (strict && name[0] == '/')
		return ob_fail(err, OCIB_ERR_CORRUPT, "the name '%s' is absolute",
			       ob_member_show(name, shown));
	ocib_errc r = check_components(name, strict, err);
	if (r)
		return r;
	ob_autofree char *clean = ob_path_to_entry(name);
	if (!clean)
		return ob_fail_nomem(err);
	if (strlen(clean) > OB_LIMIT_TAR_NAME)
		return ob_fail(err, OCIB_ERR_LIMIT, "the name '%s' is longer than %llu bytes",
			       ob_member_show(name, shown), OB_LIMIT_TAR_NAME);
	*path = ob_take_ptr(clean);
	return OCIB_OK;
}

/* Is there a parent directory that is spelled as a whiteout? */
static bool is_below_whiteout(const char *path, const char *base, bool *aufs)
{
	bool found = false;

	*aufs = false;
	for (const char *p = path; p < base; p += strcspn(p, "/") + 1) {
		found = found || ob_str_starts(p, OB_WHITEOUT_PREFIX);
		*aufs = *aufs || ob_str_starts(p, AUFS_PREFIX);
	}
	return found;
}

ocib_errc ob_member_whiteout_parse(char *path, ob_member_kind *kind, ocib_error **err)
{
	char shown[OB_MEMBER_SHOWN];
	char *base = path + (ob_path_base(path) - path);
	bool aufs;

	if (is_below_whiteout(path, base, &aufs) && !aufs)
		return ob_fail(err, OCIB_ERR_CORRUPT, "the name '%s' is below a whiteout",
			       ob_member_show(path, shown));
	*kind = OB_MEMBER_PLAIN;
	if (aufs) {
		*kind = OB_MEMBER_METADATA;
	} else if (ob_str_eq(base, OB_WHITEOUT_OPAQUE)) {
		*kind = OB_MEMBER_OPAQUE;
		path[ob_path_parent_len(path)] = '\0';
	} else if (ob_str_starts(base, AUFS_PREFIX)) {
		*kind = OB_MEMBER_METADATA;
	} else if (ob_str_starts(base, OB_WHITEOUT_PREFIX)) {
		const char *hidden = base + PREFIX_LEN;

		if (!*hidden || ob_str_eq(hidden, ".") || ob_str_eq(hidden, ".."))
			return ob_fail(err, OCIB_ERR_CORRUPT, "'%s' is a whiteout of nothing",
				       ob_member_show(path, shown));
		*kind = OB_MEMBER_WHITEOUT;
		memmove(base, hidden, strlen(hidden) + 1);
	}
	return OCIB_OK;
}

ocib_errc ob_member_name_format(const ob_entry *entry, ob_buffer *out, ocib_error **err)
{
	const char *base = ob_path_base(entry->path);
	char shown[OB_MEMBER_SHOWN];
	bool aufs;

	/* A reader would take it for a deletion. */
	if (ob_str_starts(base, OB_WHITEOUT_PREFIX) || is_below_whiteout(entry->path, base, &aufs))
		return ob_fail(
			err, OCIB_ERR_UNSUPPORTED,
			"'%s' cannot be in a layer: names that begin with '%s' mean deletions",
			ob_member_show(entry->path, shown), OB_WHITEOUT_PREFIX);
	switch (entry->type) {
	case OB_ENTRY_WHITEOUT:
		ob_buffer_append(out, entry->path, (size_t)(base - entry->path));
		ob_buffer_append_str(out, OB_WHITEOUT_PREFIX);
		ob_buffer_append_str(out, base);
		break;
	case OB_ENTRY_OPAQUE:
		ob_buffer_append_str(out, entry->path);
		ob_buffer_append_str(out,
				     entry->path[0] ? "/" OB_WHITEOUT_OPAQUE : OB_WHITEOUT_OPAQUE);
		break;
	case OB_ENTRY_DIR:
		ob_buffer_append_str(out, entry->path[0] ? entry->path : ".");
		ob_buffer_append_char(out, '/');
		break;
	default: ob_buffer_append_str(out, entry->path); break;
	}
	return ob_buffer_check(out, err);
}
