/* store/store_names.c — the public side of names: list them, give one, take one away.
 *
 * Listing reads the documents behind each name and is lenient: a name whose documents are missing or
 * damaged is listed with what is known, so that it can be seen and removed. Saying what is wrong is
 * ocib_store_check()'s work.
 */
#include "store/store_inside.h"
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "image/reference.h"

#define MAX_DEPTH 4 /* an index in an index … */

/** What a line of the list says beside names. */
typedef struct summary {
	ob_digest config;     /* unset: none, or more than one */
	ob_strlist platforms; /* as an index says */
	ob_config *parsed;    /* or NULL */
	uint64_t size;
	size_t images;
} summary;

static void summary_done(summary *s)
{
	(void)ob_config_free(s->parsed);
	ob_strlist_done(&s->platforms);
}

static void add_manifest(ob_store *store, const ob_buffer *text, const char *type, summary *s)
{
	ob_auto(ob_manifest) m = NULL;

	if (ob_manifest_parse(text->data, text->len, type, &m, NULL) != OCIB_OK)
		return;
	s->size += m->config.size;
	for (size_t i = 0; i < m->layer_count; i++)
		s->size += m->layers[i].size;
	if (s->images++ > 0) {
		memset(&s->config, 0, sizeof(s->config));
		return;
	}
	s->config = m->config.digest;

	ob_autodone(ob_buffer) config = OB_BUFFER_INIT(OB_LIMIT_CONFIG, "config");
	if (ob_store_read_blob(store, &m->config.digest, &config, NULL) == OCIB_OK && config.len)
		(void)ob_config_parse(config.data, config.len, &s->parsed, NULL);
}

/** Entries that are no images, as BuildKit's attestations, say so by this platform. */
static bool is_image(const ob_descriptor *d)
{
	return !d->has_platform || !ob_str_eq(d->platform.os, "unknown");
}

static void add_platform(const ob_descriptor *d, summary *s)
{
	char text[128];

	if (!d->has_platform)
		return;
	ob_platform_format(&d->platform, text);
	if (!ob_strlist_contains(&s->platforms, text)) /* without memory the list is shorter */
		(void)ob_strlist_add(&s->platforms, text);
}

static void add_document(ob_store *store, const ob_descriptor *d, unsigned depth, summary *s)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "image document");
	ob_auto(ob_index) index = NULL;

	s->size += d->size;
	if (ob_store_read_blob(store, &d->digest, &text, NULL) != OCIB_OK || !text.len)
		return;
	if (!ob_media_is_index(d->media_type)) {
		add_manifest(store, &text, d->media_type, s);
		return;
	}
	if (depth == 0 ||
	    ob_index_parse(text.data, text.len, d->media_type, &index, NULL) != OCIB_OK)
		return;
	for (size_t i = 0; i < index->manifest_count; i++) {
		if (!is_image(&index->manifests[i]))
			continue;
		add_platform(&index->manifests[i], s);
		add_document(store, &index->manifests[i], depth - 1, s);
	}
}

/** The familiar form of a full reference; of anything else a copy. */
static char *familiar_name(const char *name)
{
	ob_autodone(ob_reference) ref = {0};
	ob_autofree char *full = NULL;

	if (ob_reference_parse(name, &ref, NULL) != OCIB_OK)
		return strdup(name);
	full = ob_reference_format(&ref);
	return full && ob_str_eq(full, name) ? ob_reference_familiar(&ref) : strdup(name);
}

/** What is written there of an image's own, of an index what it says of its images. */
static char *platforms_of(const summary *s)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_MANIFEST, "platforms");
	char one[128] = "", *out = NULL;

	if (s->images == 1 && s->parsed)
		ob_platform_format(&s->parsed->platform, one);
	ob_buffer_append_str(&text, one);
	for (size_t i = 0; i < s->platforms.len && s->images != 1; i++)
		ob_buffer_printf(&text, "%s%s", i ? "," : "", s->platforms.items[i]);
	return ob_buffer_finish(&text, &out, NULL) ? NULL : out;
}

static ocib_errc tell(ob_store *store, const ob_descriptor *d, ocib_store_ref_fn each, void *user,
		      ocib_error **err)
{
	__attribute__((cleanup(summary_done))) summary s = {0};
	const char *full = ob_descriptor_annotation(d, OB_ANNOTATION_REF_NAME);
	ob_autofree char *name = familiar_name(full);
	bool is_one;

	if (!name)
		return ob_fail_nomem(err);
	add_document(store, d, MAX_DEPTH, &s);
	is_one = s.images == 1 && s.parsed;
	ob_autofree char *platform = platforms_of(&s);
	if (!platform)
		return ob_fail_nomem(err);
	const ocib_store_ref line = {
		.name = name,
		.full_name = full,
		.digest = d->digest.text,
		.image_id = s.config.text,
		.platform = platform,
		.created = is_one && s.parsed->created ? s.parsed->created : "",
		.size = s.size,
	};
	return each(&line, user) ? ob_fail(err, OCIB_ERR_CANCELED, "canceled") : OCIB_OK;
}

static int by_name(const void *a, const void *b)
{
	const ob_descriptor *const *x = a, *const *y = b;

	return strcmp(ob_descriptor_annotation(*x, OB_ANNOTATION_REF_NAME),
		      ob_descriptor_annotation(*y, OB_ANNOTATION_REF_NAME));
}

ocib_errc ocib_store_list(ocib_store *store, ocib_store_ref_fn each, void *user, ocib_error **err)
{
	ob_auto(ob_index) index = NULL;
	ob_autofree const ob_descriptor **named = NULL;
	size_t count = 0;
	ocib_errc r = ob_store_list_refs(store, &index, err);

	if (r != OCIB_OK)
		return r;
	named = calloc(index->manifest_count + 1, sizeof(const ob_descriptor *));
	if (!named)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < index->manifest_count; i++)
		if (ob_descriptor_annotation(&index->manifests[i], OB_ANNOTATION_REF_NAME))
			named[count++] = &index->manifests[i];
	qsort(named, count, sizeof(const ob_descriptor *), by_name);
	for (size_t i = 0; r == OCIB_OK && i < count; i++)
		r = tell(store, named[i], each, user, err);
	return r;
}

/** A name that can be given: full, with a tag and without a digest. */
static ocib_errc full_tag(const char *name, char **out, ocib_error **err)
{
	ob_autodone(ob_reference) ref = {0};
	ocib_errc r = ob_reference_parse(name, &ref, err);

	if (r == OCIB_OK && ob_digest_is_set(&ref.digest))
		r = ob_fail(err, OCIB_ERR_INVALID,
			    "'%s': a name that is given cannot have a digest", name);
	if (r == OCIB_OK)
		r = ob_reference_default_tag(&ref, err);
	if (r != OCIB_OK)
		return r;
	*out = ob_reference_format(&ref);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ocib_store_tag(ocib_store *store, const char *image, const char *new_name,
			 ocib_error **err)
{
	ob_autofree char *full = NULL;
	ob_autodone(ob_descriptor) d = {0};
	ocib_errc r = full_tag(new_name, &full, err);

	if (r == OCIB_OK)
		r = ob_store_find_image(store, image, &d, err);
	if (r != OCIB_OK)
		return r;
	/* The other tools' name for the entry we copy is not a name of the new one. */
	ob_env_unset(&d.annotations, OB_ANNOTATION_IMAGE_NAME);
	return ob_store_set_refs(store, (const char *const *)&full, &d, 1, err);
}

ocib_errc ocib_store_untag(ocib_store *store, const char *name, ocib_error **err)
{
	ob_autodone(ob_reference) ref = {0};
	ob_autofree char *full = NULL;
	ob_auto(ocib_error) why = NULL;
	ocib_errc r = ob_store_remove_ref(store, name, &why); /* exactly: what other tools wrote */

	if (r == OCIB_OK)
		return r;
	if (r != OCIB_ERR_NOTFOUND)
		return ob_error_move(err, &why);
	r = ob_reference_parse(name, &ref, err);
	if (r == OCIB_OK)
		r = ob_reference_default_tag(&ref, err);
	if (r != OCIB_OK)
		return r;
	full = ob_reference_format(&ref);
	if (!full)
		return ob_fail_nomem(err);
	why = ocib_error_free(why);
	r = ob_store_remove_ref(store, full, &why);
	if (r == OCIB_ERR_NOTFOUND)
		return ob_fail(err, r, "there is no image '%s' in the store", name);
	return r == OCIB_OK ? r : ob_error_move(err, &why);
}
