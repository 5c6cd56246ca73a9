/* layer/tar_member.c — a libarchive entry to one of ours, held to the rules of a layer.
 *
 * libarchive says what is written; here is decided what is allowed: names, link targets, ids of 32 bits,
 * sizes and xattrs within their limits, types that a file system has. What a type does not have (the size
 * of a link, the owner of a whiteout) is dropped, so that equal things are equal entries.
 */
#include "layer/tar_member.h"
#include <string.h>
#include "base/limits.h"
#include "layer/archive_library.h"
#include "layer/member_name.h"

static ocib_errc parse_type(struct archive_entry *member, ob_entry *out, ocib_error **err)
{
	if (ob_archive.archive_entry_hardlink(member)) {
		out->type = OB_ENTRY_HARDLINK;
		return OCIB_OK;
	}
	switch (ob_archive.archive_entry_filetype(member)) {
	case AE_IFREG: out->type = OB_ENTRY_FILE; break;
	case AE_IFDIR: out->type = OB_ENTRY_DIR; break;
	case AE_IFLNK: out->type = OB_ENTRY_SYMLINK; break;
	case AE_IFCHR: out->type = OB_ENTRY_CHAR; break;
	case AE_IFBLK: out->type = OB_ENTRY_BLOCK; break;
	case AE_IFIFO: out->type = OB_ENTRY_FIFO; break;
	default: return ob_fail(err, OCIB_ERR_CORRUPT, "of no type that a file system has");
	}
	return OCIB_OK;
}

static ocib_errc parse_link(struct archive_entry *member, const ob_tar_member_rules *rules,
			    ob_entry *out, ocib_error **err)
{
	const char *target;

	if (out->type == OB_ENTRY_HARDLINK) {
		ocib_errc r = ob_member_name_parse(ob_archive.archive_entry_hardlink(member),
						   rules->strict, &out->link, err);

		return r ? ob_wrap(err, r, "hard link") : OCIB_OK;
	}
	if (out->type != OB_ENTRY_SYMLINK)
		return OCIB_OK;
	target = ob_archive.archive_entry_symlink(member);
	if (!target || !*target)
		return ob_fail(err, OCIB_ERR_CORRUPT, "a symbolic link without a target");
	if (strlen(target) > OB_LIMIT_TAR_NAME)
		return ob_fail(err, OCIB_ERR_LIMIT, "a link target of more than %llu bytes",
			       OB_LIMIT_TAR_NAME);
	out->link = strdup(target);
	return out->link ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc parse_id(int64_t id, const char *what, uint32_t *out, ocib_error **err)
{
	if (id < 0 || id > UINT32_MAX)
		return ob_fail(err, OCIB_ERR_CORRUPT, "the %s %lld is no 32-bit number", what,
			       (long long)id);
	*out = (uint32_t)id;
	return OCIB_OK;
}

static ocib_errc parse_numbers(struct archive_entry *member, ob_entry *out, ocib_error **err)
{
	int64_t size = ob_archive.archive_entry_size(member);
	ocib_errc r;

	out->mode = (uint32_t)ob_archive.archive_entry_perm(member) & 07777;
	out->mtime_sec = ob_archive.archive_entry_mtime(member);
	long nsec = ob_archive.archive_entry_mtime_nsec(member);
	out->mtime_nsec = nsec > 0 && nsec < 1000000000L ? (uint32_t)nsec : 0;
	r = parse_id(ob_archive.archive_entry_uid(member), "user id", &out->uid, err);
	if (!r)
		r = parse_id(ob_archive.archive_entry_gid(member), "group id", &out->gid, err);
	if (r)
		return r;
	if (out->type == OB_ENTRY_FILE) {
		if (size < 0 || (uint64_t)size > OB_LIMIT_BLOB)
			return ob_fail(err, OCIB_ERR_LIMIT, "a size of more than %llu bytes",
				       OB_LIMIT_BLOB);
		out->size = (uint64_t)size;
	}
	if (out->type == OB_ENTRY_CHAR || out->type == OB_ENTRY_BLOCK) {
		r = parse_id((int64_t)ob_archive.archive_entry_rdevmajor(member), "device number",
			     &out->dev_major, err);
		if (!r)
			r = parse_id((int64_t)ob_archive.archive_entry_rdevminor(member),
				     "device number", &out->dev_minor, err);
	}
	return r;
}

static ocib_errc parse_xattrs(struct archive_entry *member, ob_entry *out, ocib_error **err)
{
	const char *name;
	const void *value;
	size_t len, total = 0;

	ob_archive.archive_entry_xattr_reset(member);
	while (ob_archive.archive_entry_xattr_next(member, &name, &value, &len) == ARCHIVE_OK) {
		/* libarchive hands out the last record first, and the last one counts. */
		if (!name || !*name || ob_entry_find_xattr(out, name))
			continue;
		if (len > OB_LIMIT_TAR_XATTRS)
			return ob_fail(err, OCIB_ERR_LIMIT, "more than %llu bytes of xattrs",
				       OB_LIMIT_TAR_XATTRS);
		total += strlen(name) + len + sizeof(ob_xattr);
		if (total > OB_LIMIT_TAR_XATTRS)
			return ob_fail(err, OCIB_ERR_LIMIT, "more than %llu bytes of xattrs",
				       OB_LIMIT_TAR_XATTRS);
		if (ob_entry_add_xattr(out, name, value, len) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

static ocib_errc parse_whiteout(const ob_tar_member_rules *rules, ob_entry *out, bool *skip,
				ocib_error **err)
{
	ob_member_kind kind = OB_MEMBER_PLAIN;

	if (rules->whiteouts) {
		ocib_errc r = ob_member_whiteout_parse(out->path, &kind, err);

		if (r)
			return r;
	}
	*skip = kind == OB_MEMBER_METADATA;
	if (kind == OB_MEMBER_WHITEOUT)
		out->type = OB_ENTRY_WHITEOUT;
	else if (kind == OB_MEMBER_OPAQUE)
		out->type = OB_ENTRY_OPAQUE;
	if (ob_entry_is_mark(out))
		ob_entry_strip(out);
	return OCIB_OK;
}

static ocib_errc parse_rest(struct archive_entry *member, const ob_tar_member_rules *rules,
			    ob_entry *out, bool *skip, ocib_error **err)
{
	ocib_errc r = parse_type(member, out, err);

	if (!r)
		r = parse_link(member, rules, out, err);
	if (!r)
		r = parse_numbers(member, out, err);
	if (!r)
		r = parse_xattrs(member, out, err);
	if (!r)
		r = parse_whiteout(rules, out, skip, err);
	if (!r && !*skip && !out->path[0] && out->type != OB_ENTRY_DIR &&
	    out->type != OB_ENTRY_OPAQUE)
		r = ob_fail(err, OCIB_ERR_CORRUPT, "the root is no directory");
	return r;
}

ocib_errc ob_tar_member_parse(struct archive_entry *member, const ob_tar_member_rules *rules,
			      ob_entry *out, bool *skip, ocib_error **err)
{
	const char *name = ob_archive.archive_entry_pathname(member);
	ob_autodone(ob_entry) entry = {.path = NULL};
	char shown[OB_MEMBER_SHOWN];
	ocib_errc r;

	if ((!name || !*name) && rules->strict)
		return ob_fail(err, OCIB_ERR_CORRUPT, "a member without a name");
	if (!name || !*name) { /* the place that is unpacked to, of which nothing is to be said */
		*skip = true;
		return OCIB_OK;
	}
	r = ob_member_name_parse(name, rules->strict, &entry.path, err);
	if (r)
		return r;
	r = parse_rest(member, rules, &entry, skip, err);
	if (r)
		return ob_wrap(err, r, "member '%s'", ob_member_show(name, shown));
	*out = entry;
	memset(&entry, 0, sizeof(entry));
	return OCIB_OK;
}
