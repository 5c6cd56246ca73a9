/* engine/build/annotations.c — "index:KEY=VALUE", "manifest[linux/arm64],index-descriptor:KEY=VALUE".
 *
 * Without a place an annotation is the manifest's, and without a platform every platform's. The grammar is
 * docker buildx's: the key ends at the first '=', the places at the first ':' before it.
 */
#include "engine/build/annotations.h"
#include <string.h>
#include "base/strings.h"

/* One of the places in front of a key. */
typedef struct annotation_target {
	ob_annotation_place place;
	bool has_platform;
	ob_platform platform;
} annotation_target;

static ocib_errc parse_place(const char *text, size_t len, ob_annotation_place *out,
			     ocib_error **err)
{
	static const char *const names[] = {
		[OB_ANNOTATE_MANIFEST] = "manifest",
		[OB_ANNOTATE_MANIFEST_DESCRIPTOR] = "manifest-descriptor",
		[OB_ANNOTATE_INDEX] = "index",
		[OB_ANNOTATE_INDEX_DESCRIPTOR] = "index-descriptor",
	};

	for (size_t i = 1; i < OB_ARRAY_LEN(names); i++) {
		if (strlen(names[i]) == len && strncmp(names[i], text, len) == 0) {
			*out = (ob_annotation_place)i;
			return OCIB_OK;
		}
	}
	return ob_fail(err, OCIB_ERR_INVALID,
		       "an annotation is for manifest, manifest-descriptor, index or "
		       "index-descriptor, not for '%.*s'",
		       (int)len, text);
}

/* "manifest" or "manifest[linux/arm64]". */
static ocib_errc parse_target(const char *text, size_t len, annotation_target *out,
			      ocib_error **err)
{
	const char *open = memchr(text, '[', len);
	size_t name = open ? (size_t)(open - text) : len;
	ocib_errc r = parse_place(text, name, &out->place, err);

	out->has_platform = open != NULL;
	if (r || !open)
		return r;
	if (text[len - 1] != ']')
		return ob_fail(err, OCIB_ERR_INVALID,
			       "the platform of an annotation ends with "
			       "']'");
	ob_autofree char *platform = strndup(open + 1, len - name - 2);
	if (!platform)
		return ob_fail_nomem(err);
	return ob_platform_parse(platform, &out->platform, err);
}

/* *rest: places not yet seen; NULL when there are no more. */
static ocib_errc next_target(const char **rest, annotation_target *out, ocib_error **err)
{
	size_t len = strcspn(*rest, ",:");
	ocib_errc r = parse_target(*rest, len, out, err);

	*rest = (*rest)[len] == ',' ? *rest + len + 1 : NULL;
	return r;
}

/* The places in front, NULL when there are none, and the key. */
static ocib_errc find_key(const char *text, const char **places, const char **key, ocib_error **err)
{
	const char *equals = strchr(text, '=');
	const char *colon = equals ? memchr(text, ':', (size_t)(equals - text)) : NULL;

	*places = colon ? text : NULL;
	*key = colon ? colon + 1 : text;
	if (!equals || equals == *key)
		return ob_fail(err, OCIB_ERR_INVALID, "an annotation is KEY=VALUE, not '%s'", text);
	return OCIB_OK;
}

static bool is_built(const ob_platform *platform, const ob_platform *all, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ob_platform_eq(platform, &all[i]))
			return true;
	return false;
}

static ocib_errc check_target(const annotation_target *target, const ob_platform *platforms,
			      size_t count, bool makes_index, ocib_error **err)
{
	char text[128];

	if (!makes_index &&
	    (target->place == OB_ANNOTATE_INDEX || target->place == OB_ANNOTATE_INDEX_DESCRIPTOR))
		return ob_fail(err, OCIB_ERR_INVALID,
			       "there is no index to annotate: only one platform is built");
	if (!target->has_platform || is_built(&target->platform, platforms, count))
		return OCIB_OK;
	ob_platform_format(&target->platform, text);
	return ob_fail(err, OCIB_ERR_INVALID, "nothing is built for %s", text);
}

static ocib_errc check_one(const char *text, const ob_platform *platforms, size_t count,
			   bool makes_index, ocib_error **err)
{
	const char *rest, *key;
	ocib_errc r = find_key(text, &rest, &key, err);

	while (!r && rest) {
		annotation_target target = {0};

		r = next_target(&rest, &target, err);
		if (!r)
			r = check_target(&target, platforms, count, makes_index, err);
	}
	return r;
}

ocib_errc ob_annotations_check(const char *const *texts, const ob_platform *platforms, size_t count,
			       bool makes_index, ocib_error **err)
{
	for (; texts && *texts; texts++) {
		ob_auto(ocib_error) why = NULL;
		ocib_errc r = check_one(*texts, platforms, count, makes_index, &why);

		if (r) {
			(void)ob_error_move(err, &why);
			return ob_wrap(err, r, "annotation '%s'", *texts);
		}
	}
	return OCIB_OK;
}

static bool is_for(const annotation_target *target, ob_annotation_place place,
		   const ob_platform *platform)
{
	return target->place == place &&
	       (!target->has_platform || (platform && ob_platform_eq(&target->platform, platform)));
}

ocib_errc ob_annotations_add(const char *const *texts, ob_annotation_place place,
			     const ob_platform *platform, ob_strlist *out, ocib_error **err)
{
	for (; texts && *texts; texts++) {
		const char *rest, *key;
		ocib_errc r = find_key(*texts, &rest, &key, err);
		bool wanted = !r && !rest && place == OB_ANNOTATE_MANIFEST;

		while (!r && rest) {
			annotation_target target = {0};

			r = next_target(&rest, &target, err);
			wanted = wanted || (!r && is_for(&target, place, platform));
		}
		if (r)
			return r;
		ob_autofree char *name = wanted ? strndup(key, strcspn(key, "=")) : NULL;
		if (wanted && (!name || ob_env_set(out, name, strchr(key, '=') + 1) < 0))
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}
