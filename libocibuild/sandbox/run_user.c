/* sandbox/run_user.c — the ids that USER names.
 *
 * The rules are those of container runtimes: what is a number is an id, also where a user has that
 * number for a name; an id needs no entry; supplementary groups come from /etc/group for a user that was
 * found and when no group was named; with both ids given as numbers the files are not asked for groups.
 * The first matching line counts. Lines that are no entries are passed over. "root" is 0 also where no
 * file says so.
 */
#include "sandbox/run_user.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"

#define MAX_FIELDS 7

void ob_run_user_done(ob_run_user *user)
{
	free(user->groups);
	free(user->home);
	*user = (ob_run_user){0};
}

/* Cut a line at its colons; the number of fields. */
static size_t split_fields(char *line, char *fields[MAX_FIELDS])
{
	size_t count = 0;

	if (line[0] == '#')
		return 0;
	while (count < MAX_FIELDS && line)
		fields[count++] = strsep(&line, ":");
	return count;
}

static bool parse_id(const char *text, uint32_t *id)
{
	uint64_t value;

	if (!ob_parse_u64(text, 10, INT_MAX, &value))
		return false;
	*id = (uint32_t)value;
	return true;
}

/* The two halves of "user:group", and what they are. */
typedef struct request {
	char *user, *group;
	uint32_t uid, gid;
	bool is_uid, is_gid;
} request;

static bool wants_user(const request *want, const char *name, uint32_t uid)
{
	return want->is_uid ? uid == want->uid : ob_str_eq(name, want->user);
}

/* The first user that matches: ids and home into @p out, its name into *name. */
static ocib_errc find_user(const char *passwd, const request *want, ob_run_user *out, char **name,
			   ocib_error **err)
{
	ob_autofree char *copy = strdup(passwd ? passwd : "");
	char *rest = copy, *fields[MAX_FIELDS];

	if (!copy)
		return ob_fail_nomem(err);
	for (char *line; (line = strsep(&rest, "\n"));) {
		uint32_t uid, gid;
		size_t count = split_fields(line, fields);

		if (count < 4 || !parse_id(fields[2], &uid) || !parse_id(fields[3], &gid) ||
		    !wants_user(want, fields[0], uid))
			continue;
		out->uid = uid;
		out->gid = gid;
		*name = strdup(fields[0]);
		out->home = count > 5 && *fields[5] ? strdup(fields[5]) : strdup("/");
		return *name && out->home ? OCIB_OK : ob_fail_nomem(err);
	}
	if (!want->is_uid && !ob_str_eq(want->user, "root"))
		return ob_fail(err, OCIB_ERR_NOTFOUND,
			       "user '%s' is not in the image's /etc/passwd", want->user);
	out->uid = want->uid;
	out->home = strdup("/");
	return out->home ? OCIB_OK : ob_fail_nomem(err);
}

static int add_group(ob_run_user *out, uint32_t gid)
{
	for (size_t i = 0; i < out->group_count; i++)
		if (out->groups[i] == gid)
			return 0;
	gid_t *grown = reallocarray(out->groups, out->group_count + 1, sizeof(*grown));
	if (!grown)
		return -1;
	out->groups = grown;
	out->groups[out->group_count++] = gid;
	return 0;
}

static bool has_member(char *members, const char *name)
{
	for (char *one; (one = strsep(&members, ","));)
		if (ob_str_eq(one, name))
			return true;
	return false;
}

/* The group that was named, or all that the user is a member of. */
static ocib_errc find_groups(const char *group, const request *want, const char *user_name,
			     ob_run_user *out, ocib_error **err)
{
	ob_autofree char *copy = strdup(group ? group : "");
	char *rest = copy, *fields[MAX_FIELDS];

	if (!copy)
		return ob_fail_nomem(err);
	for (char *line; (line = strsep(&rest, "\n"));) {
		uint32_t gid;
		size_t count = split_fields(line, fields);

		if (count < 3 || !parse_id(fields[2], &gid))
			continue;
		if (want->group) {
			if (!ob_str_eq(fields[0], want->group))
				continue;
			out->gid = gid;
			return OCIB_OK;
		}
		if (count > 3 && has_member(fields[3], user_name) && add_group(out, gid) < 0)
			return ob_fail_nomem(err);
	}
	if (want->group && ob_str_eq(want->group, "root"))
		out->gid = 0;
	else if (want->group)
		return ob_fail(err, OCIB_ERR_NOTFOUND,
			       "group '%s' is not in the image's /etc/group", want->group);
	return OCIB_OK;
}

static ocib_errc look_up(const char *passwd, const char *group, request *want, ob_run_user *out,
			 ocib_error **err)
{
	ob_autofree char *name = NULL;
	ocib_errc r = find_user(passwd, want, out, &name, err);

	if (r < 0)
		return r;
	if (want->is_gid)
		out->gid = want->gid;
	else if (want->group)
		r = find_groups(group, want, "", out, err);
	if (r < 0 || add_group(out, out->gid) < 0)
		return r < 0 ? r : ob_fail_nomem(err);
	if (!want->group && name)
		r = find_groups(group, want, name, out, err);
	return r;
}

ocib_errc ob_run_user_parse(const char *passwd, const char *group, const char *text,
			    ob_run_user *out, ocib_error **err)
{
	ob_autofree char *copy = strdup(text && *text ? text : "0");
	request want = {.group = copy, .uid = 0};
	ob_autodone(ob_run_user) found = {0};

	if (!copy)
		return ob_fail_nomem(err);
	want.user = strsep(&want.group, ":");
	if (want.group && !*want.group)
		want.group = NULL;
	want.is_uid = parse_id(*want.user ? want.user : "0", &want.uid);
	want.is_gid = want.group && parse_id(want.group, &want.gid);
	ocib_errc r = look_up(passwd, group, &want, &found, err);
	if (r < 0)
		return r;
	*out = found;
	found = (ob_run_user){0};
	return OCIB_OK;
}

static ocib_errc read_inside(int rootfd, const char *path, ob_buffer *text, ocib_error **err)
{
	struct stat st;
	/* O_NONBLOCK: whatever an image has put there, opening it must not wait. */
	ob_autofd int fd = ob_fs_resolve(rootfd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return OCIB_OK;
	if (fd < 0 || fstat(fd, &st) < 0)
		return ob_fail_errno(err, "read the image's /%s", path);
	if (!S_ISREG(st.st_mode))
		return OCIB_OK;
	if ((uint64_t)st.st_size > text->max)
		return ob_fail(err, OCIB_ERR_LIMIT, "the image's /%s is larger than %zu bytes",
			       path, text->max);
	char *into = ob_buffer_reserve(text, (size_t)st.st_size);
	ssize_t n = into ? ob_read_full(fd, into, (size_t)st.st_size) : 0;
	if (n < 0)
		return ob_fail_errno(err, "read the image's /%s", path);
	text->len += (size_t)n;
	ob_buffer_append(text, "",
			 1); /* a NUL of our own: not all that is reserved may have come */
	return ob_buffer_check(text, err);
}

ocib_errc ob_run_user_lookup(int rootfd, const char *text, ob_run_user *out, ocib_error **err)
{
	ob_autodone(ob_buffer) passwd = OB_BUFFER_INIT(OB_LIMIT_PASSWD, "/etc/passwd");
	ob_autodone(ob_buffer) group = OB_BUFFER_INIT(OB_LIMIT_PASSWD, "/etc/group");
	ocib_errc r = read_inside(rootfd, "etc/passwd", &passwd, err);

	if (r == OCIB_OK)
		r = read_inside(rootfd, "etc/group", &group, err);
	if (r == OCIB_OK)
		r = ob_run_user_parse(passwd.data, group.data, text, out, err);
	return r;
}
