/* store/ref_index.c — index.json: which names stand for which images.
 *
 * Reading takes no lock: the file is only ever replaced as a whole. Changing is read, modify, replace
 * under the store's lock. The document is edited as JSON and not as an ob_index, so that entries and
 * annotations of other tools stay as they are.
 *
 * No name outlives what it stands for: the content of blobs is on disk before they get their file names,
 * and the file systems that a store can be on keep the order of renames, so that after a crash a new
 * index.json is never there without the blobs that were there before it.
 */
#include "store/store_inside.h"
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "image/go_json.h"

ocib_errc ob_store_read_index(ob_store *store, ob_json **out, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, OB_INDEX_FILE);
	ob_auto(ob_json) json = NULL;
	ob_auto(ocib_error) why = NULL;
	const ob_json *manifests;
	ocib_errc r = ob_read_file(store->dirfd, OB_INDEX_FILE, &text, &why);

	if (r == OCIB_ERR_NOTFOUND) /* not what NOTFOUND means to our callers */
		return ob_fail(err, OCIB_ERR_CORRUPT, "'%s' has no %s", store->path, OB_INDEX_FILE);
	if (r != OCIB_OK)
		return ob_error_move(err, &why);
	r = ob_json_parse(text.data ? text.data : "", text.len, &json, err);
	if (r == OCIB_OK && !ob_json_is_object(json))
		r = ob_fail(err, OCIB_ERR_CORRUPT, "not a JSON object");
	if (r == OCIB_OK)
		r = ob_go_json_read_array(json, "manifests", SIZE_MAX, &manifests, err);
	if (r != OCIB_OK)
		return ob_wrap(err, r, "'%s/%s'", store->path, OB_INDEX_FILE);
	*out = ob_take_ptr(json);
	return OCIB_OK;
}

const char *ob_index_entry_annotation(const ob_json *entry, const char *key)
{
	return ob_json_get_str(ob_json_get(entry, "annotations"), key);
}

static bool is_named(const ob_json *entry, const char *name)
{
	const char *own = ob_index_entry_annotation(entry, OB_ANNOTATION_REF_NAME);

	return own && ob_str_eq(own, name);
}

/* Changing. */

/** What becomes of index.json: entries named in it are replaced, or dropped without descriptors. */
typedef struct change {
	const char *const *names;
	const ob_descriptor *descriptors; /* NULL: remove the names */
	size_t count;
	bool *placed; /* a name that has its place already */
	size_t found;
} change;

static ob_json *named_entry(const ob_descriptor *descriptor, const char *name)
{
	ob_autodone(ob_descriptor) copy = {0};

	if (ob_descriptor_copy(&copy, descriptor) < 0 ||
	    ob_env_set(&copy.annotations, OB_ANNOTATION_REF_NAME, name) < 0)
		return NULL;
	return ob_descriptor_to_json(&copy);
}

/*
 * A tag alone does not name an image: in a layout, "latest" of one repository stays beside "latest" of
 * another, as BuildKit keeps them, where both say in containerd's annotation whose they are.
 */
static bool is_of_other_image(const ob_json *entry, const ob_descriptor *descriptor)
{
	const char *own = ob_index_entry_annotation(entry, OB_ANNOTATION_IMAGE_NAME);
	const char *other = ob_descriptor_annotation(descriptor, OB_ANNOTATION_IMAGE_NAME);

	return own && other && !ob_str_eq(own, other);
}

/** One entry of the old document into the new one: as it is, replaced, or not at all. */
static void carry_entry(change *c, const ob_json *entry, ob_json *manifests)
{
	for (size_t i = 0; i < c->count; i++) {
		if (!is_named(entry, c->names[i]) ||
		    (c->descriptors && is_of_other_image(entry, &c->descriptors[i])))
			continue;
		c->found++;
		if (c->descriptors && !c->placed[i])
			ob_json_push(manifests, named_entry(&c->descriptors[i], c->names[i]));
		c->placed[i] = true;
		return;
	}
	ob_json_push(manifests, ob_json_copy(entry));
}

static ob_json *changed_manifests(change *c, const ob_json *old)
{
	ob_json *manifests = ob_json_array();

	for (size_t i = 0; i < ob_json_len(old); i++)
		carry_entry(c, ob_json_at(old, i), manifests);
	for (size_t i = 0; c->descriptors && i < c->count; i++)
		if (!c->placed[i])
			ob_json_push(manifests, named_entry(&c->descriptors[i], c->names[i]));
	return manifests;
}

static ocib_errc apply_change(ob_store *store, change *c, ocib_error **err)
{
	ob_autodone(ob_buffer) before = OB_BUFFER_INIT(OB_LIMIT_JSON, OB_INDEX_FILE);
	ob_autodone(ob_buffer) after = OB_BUFFER_INIT(OB_LIMIT_JSON, OB_INDEX_FILE);
	ob_auto(ob_json) json = NULL;
	ob_autofd int lock = -1;
	ocib_errc r = ob_lock_file(store->dirfd, store->lock_name, true, true, &lock, err);

	if (r == OCIB_OK)
		r = ob_store_read_index(store, &json, err);
	if (r == OCIB_OK)
		r = ob_go_json_dump(json, &before, err);
	if (r != OCIB_OK)
		return r;
	ob_json_set(json, "manifests", changed_manifests(c, ob_json_get(json, "manifests")));
	r = ob_go_json_dump(json, &after, err);
	if (r != OCIB_OK)
		return r;
	if (before.len == after.len && memcmp(before.data, after.data, after.len) == 0)
		return OCIB_OK;
	return ob_store_replace(store, OB_INDEX_FILE, after.data, after.len, OB_SURVIVES_CRASH,
				err);
}

ocib_errc ob_store_set_refs(ob_store *store, const char *const *names,
			    const ob_descriptor *descriptors, size_t count, ocib_error **err)
{
	ob_autofree bool *placed = calloc(count + 1, sizeof(*placed));
	change c = {names, descriptors, count, placed, 0};
	ocib_errc r;

	if (!placed)
		return ob_fail_nomem(err);
	if (count == 0)
		return OCIB_OK;
	r = ob_store_flush(store, err);
	if (r == OCIB_OK)
		r = apply_change(store, &c, err);
	return r == OCIB_OK ? r : ob_wrap(err, r, "name an image '%s'", names[0]);
}

static ocib_errc no_such_name(const ob_store *store, const char *name, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_NOTFOUND, "'%s' has no image '%s'", store->path, name);
}

ocib_errc ob_store_remove_ref(ob_store *store, const char *name, ocib_error **err)
{
	bool placed = false;
	change c = {&name, NULL, 1, &placed, 0};
	ocib_errc r = apply_change(store, &c, err);

	return r == OCIB_OK && !c.found ? no_such_name(store, name, err) : r;
}

/* Looking up. */

/** The tag of "domain/path:tag", NULL for anything else. */
static const char *tag_of(const char *name)
{
	const char *slash = strrchr(name, '/'), *colon = strrchr(name, ':');

	return slash && colon && colon > slash && !strchr(name, '@') ? colon + 1 : NULL;
}

typedef bool (*entry_test)(const ob_json *entry, const char *name);

static bool is_named_by_containerd(const ob_json *entry, const char *name)
{
	const char *own = ob_index_entry_annotation(entry, OB_ANNOTATION_IMAGE_NAME);

	return own && ob_str_eq(own, name);
}

static bool is_tagged(const ob_json *entry, const char *name)
{
	const char *own = ob_index_entry_annotation(entry, OB_ANNOTATION_REF_NAME);
	const char *tag = own ? tag_of(own) : NULL;

	return tag && ob_str_eq(tag, name);
}

static bool has_digest(const ob_json *entry, const char *name)
{
	const char *digest = ob_json_get_str(entry, "digest");

	return digest && ob_str_eq(digest, name);
}

static bool is_any(const ob_json *entry, const char *name)
{
	(void)name;
	return ob_json_is_object(entry);
}

/** The entry that passes. Several of one digest are one; *unique is false when there are others. */
static const ob_json *find_entry(const ob_json *manifests, entry_test test, const char *name,
				 bool *unique)
{
	const ob_json *found = NULL;

	*unique = true;
	for (size_t i = 0; i < ob_json_len(manifests); i++) {
		const ob_json *entry = ob_json_at(manifests, i);
		const char *digest = ob_json_get_str(entry, "digest");

		if (!test(entry, name))
			continue;
		if (!found)
			found = entry;
		else if (!digest || !has_digest(found, digest))
			*unique = false;
	}
	return found;
}

/** The names in a layout, for a message. */
static void hint_names(const ob_json *manifests, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(1000, "hint");
	const char *separator = "";

	for (size_t i = 0; i < ob_json_len(manifests); i++) {
		const char *name =
			ob_index_entry_annotation(ob_json_at(manifests, i), OB_ANNOTATION_REF_NAME);

		if (!name)
			continue;
		ob_buffer_printf(&text, "%s%s", separator, name);
		separator = ", ";
	}
	if (ob_buffer_check(&text, NULL) == OCIB_OK && text.len)
		ob_error_set_hint(err, "it has: %s", text.data);
}

static ocib_errc not_unique(const ob_store *store, const char *name, const ob_json *manifests,
			    ocib_error **err)
{
	ob_fail(err, OCIB_ERR_INVALID, "'%s' has more than one image%s%s; name one", store->path,
		name ? " tagged " : "", name ? name : "");
	hint_names(manifests, err);
	return OCIB_ERR_INVALID;
}

/** The rules for a layout, in the order in which they are tried. */
static ocib_errc find_in_layout(const ob_store *store, const ob_json *manifests, const char *name,
				const ob_json **out, ocib_error **err)
{
	static const entry_test TESTS[] = {is_named, is_named_by_containerd, has_digest, is_tagged};
	bool unique = true;

	*out = NULL;
	if (!name) {
		*out = find_entry(manifests, is_any, "", &unique);
		if (!*out || unique)
			return OCIB_OK;
		*out = find_entry(manifests, is_named, "latest", &unique);
		return *out && unique ? OCIB_OK : not_unique(store, name, manifests, err);
	}
	for (size_t i = 0; !*out && i < OB_ARRAY_LEN(TESTS); i++)
		*out = find_entry(manifests, TESTS[i], name, &unique);
	return unique ? OCIB_OK : not_unique(store, name, manifests, err);
}

ocib_errc ob_store_get_ref(ob_store *store, const char *name, ob_descriptor *out, ocib_error **err)
{
	ob_auto(ob_json) json = NULL;
	const ob_json *manifests, *entry = NULL;
	bool unique;
	ocib_errc r = ob_store_read_index(store, &json, err);

	if (r != OCIB_OK)
		return r;
	manifests = ob_json_get(json, "manifests");
	if (!store->is_layout)
		entry = name ? find_entry(manifests, is_named, name, &unique) : NULL;
	else
		r = find_in_layout(store, manifests, name, &entry, err);
	if (r != OCIB_OK)
		return r;
	if (entry) {
		r = ob_descriptor_from_json(entry, out, err);
		return r == OCIB_OK ? r : ob_wrap(err, r, "'%s/%s'", store->path, OB_INDEX_FILE);
	}
	if (store->is_layout && name && ob_str_starts(name, "sha256:"))
		return ob_store_describe(store, name, out, err);
	r = no_such_name(store, name ? name : "", err);
	if (store->is_layout)
		hint_names(manifests, err);
	return r;
}

ocib_errc ob_store_list_refs(ob_store *store, ob_index **out, ocib_error **err)
{
	ob_auto(ob_json) json = NULL;
	ob_auto(ob_index) index = calloc(1, sizeof(*index));
	const ob_json *manifests;
	size_t count;
	ocib_errc r;

	if (!index)
		return ob_fail_nomem(err);
	r = ob_store_read_index(store, &json, err);
	if (r != OCIB_OK)
		return r;
	manifests = ob_json_get(json, "manifests");
	count = ob_json_len(manifests);
	index->manifests = calloc(count + 1, sizeof(*index->manifests));
	if (!index->manifests)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < count; i++) {
		ob_descriptor *one = &index->manifests[index->manifest_count];

		/* Entries of digests or shapes that we do not know are other tools' affair. */
		r = ob_descriptor_from_json(ob_json_at(manifests, i), one, NULL);
		if (r == OCIB_ERR_NOMEM)
			return ob_fail_nomem(err);
		index->manifest_count += r == OCIB_OK;
	}
	*out = ob_take_ptr(index);
	return OCIB_OK;
}
