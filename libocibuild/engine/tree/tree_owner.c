/* engine/tree/tree_owner.c — "user[:group]" to numbers by an image's own /etc/passwd and /etc/group.
 *
 * BuildKit's rules for --chown: numbers (and "root") are themselves, a lone number is the group too, a
 * lone name brings its primary group. A name that the files do not have is an error here: an image whose
 * files quietly belong to root is never what was meant.
 */
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "engine/tree/tree_internal.h"

/* The field-th part of a line of colon-separated fields; NULL when there are not so many. */
static char *field_of(char *line, unsigned field)
{
	while (field-- > 0) {
		line = strchr(line, ':');
		if (!line)
			return NULL;
		line++;
	}
	return line;
}

static bool parse_id(const char *text, uint32_t *out)
{
	uint64_t value = 0;

	if (ob_str_eq(text, "root")) {
		*out = 0;
		return true;
	}
	if (!ob_parse_u64(text, 10, INT32_MAX, &value))
		return false;
	*out = (uint32_t)value;
	return true;
}

static bool field_id(char *line, unsigned field, uint32_t *out)
{
	char *text = field_of(line, field);

	if (!text)
		return false;
	text[strcspn(text, ":")] = '\0';
	return parse_id(text, out);
}

/* Find NAME's line in a passwd or group file, which is taken apart on the way; NULL when absent. */
static char *find_line(char *text, const char *name)
{
	size_t len = strlen(name);
	char *rest = text;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			return line;
	return NULL;
}

/* The line of NAME in the file at PATH, in @p file's memory. */
static ocib_errc look_up(ob_tree *tree, const char *path, const char *kind, const char *name,
			 ob_buffer *file, char **line, ocib_error **err)
{
	ob_auto(ocib_error) missing = NULL;
	ocib_errc r = ob_tree_read_file(tree, path, file, &missing);

	if (r != OCIB_OK && r != OCIB_ERR_NOTFOUND)
		return ob_error_move(err, &missing);
	*line = r == OCIB_OK && file->data ? find_line(file->data, name) : NULL;
	if (!*line)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "%s '%s' is not in the image's %s", kind,
			       name, path);
	return OCIB_OK;
}

static ocib_errc find_user(ob_tree *tree, const char *name, uint32_t *uid, uint32_t *gid,
			   ocib_error **err)
{
	ob_autodone(ob_buffer) file = OB_BUFFER_INIT(OB_LIMIT_PASSWD, "/etc/passwd");
	char *line = NULL;
	ocib_errc r = look_up(tree, "/etc/passwd", "user", name, &file, &line, err);

	if (r != OCIB_OK)
		return r;
	/* The later field first: reading one ends the string there. */
	if (!field_id(line, 3, gid) || !field_id(line, 2, uid))
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "the line of user '%s' in the image's /etc/passwd "
			       "has no ids",
			       name);
	return OCIB_OK;
}

static ocib_errc find_group(ob_tree *tree, const char *name, uint32_t *gid, ocib_error **err)
{
	ob_autodone(ob_buffer) file = OB_BUFFER_INIT(OB_LIMIT_PASSWD, "/etc/group");
	char *line = NULL;
	ocib_errc r = look_up(tree, "/etc/group", "group", name, &file, &line, err);

	if (r == OCIB_OK && !field_id(line, 2, gid))
		r = ob_fail(err, OCIB_ERR_CORRUPT,
			    "the line of group '%s' in the image's /etc/group has "
			    "no id",
			    name);
	return r;
}

ocib_errc ob_tree_lookup_owner(ob_tree *tree, const char *text, uint32_t *uid, uint32_t *gid,
			       ocib_error **err)
{
	uint32_t found_uid = 0, found_gid = 0;
	ocib_errc r = OCIB_OK;

	if (text && *text) {
		size_t len = strcspn(text, ":");
		ob_autofree char *user = strndup(text, len);
		const char *group = text[len] ? text + len + 1 : NULL;

		if (!user)
			return ob_fail_nomem(err);
		if (parse_id(user, &found_uid))
			found_gid = found_uid;
		else if (*user)
			r = find_user(tree, user, &found_uid, &found_gid, err);
		if (r == OCIB_OK && group && *group && !parse_id(group, &found_gid))
			r = find_group(tree, group, &found_gid, err);
	}
	if (r != OCIB_OK)
		return r;
	*uid = found_uid;
	*gid = found_gid;
	return OCIB_OK;
}
