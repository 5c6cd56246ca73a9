/* cli/release/release_look.c — what the tags mean before we touch them.
 *
 * Of the moving tag the image is opened too (its manifest and configuration), for the commit it was made
 * from: an annotation of ours, or a label where another tool made it.
 */
#include <string.h>
#include "release.h"

#define KEY_PREFIX "org.opencontainers.image."

static const char *image_says(text_pool *pool, const ocib_image *image, const char *key)
{
	const char *text = ocib_image_annotation(image, key);

	if (!text)
		text = ocib_image_label(image, key);
	return text ? text_copy_harmless(pool, text, strlen(text)) : "";
}

static bool parse_time(const char *text, int64_t *out)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest || (*rest != 'Z' && *rest != '.'))
		return false;
	*out = timegm(&tm);
	return true;
}

ocib_errc release_resolve(ocib_context *ctx, release_tag *tag, text_pool *pool, ocib_error **err)
{
	ocib_registry_manifest found;
	ocib_error *failure = NULL;

	tag->digest = tag->revision = tag->image = tag->base = "";
	tag->has_time = false;
	ocib_errc rc = ocib_registry_resolve(ctx, tag->name, &found, &failure);
	if (rc == OCIB_ERR_NOTFOUND) {
		ocib_error_free(failure);
		return OCIB_OK;
	}
	if (rc != OCIB_OK) {
		*err = failure;
		return rc;
	}
	tag->digest = text_copy(pool, found.digest, strlen(found.digest));
	return OCIB_OK;
}

/* The platform whose image speaks for all: the first that is released, as it is of what was built. */
static const char *first_platform(const release *r)
{
	const release_config *config = &r->config;

	return config->app.platforms.len       ? config->app.platforms.items[0]
	       : config->runtime.platforms.len ? config->runtime.platforms.items[0]
					       : NULL;
}

static ocib_errc read_origin(release *r, ocib_context *ctx, release_tag *tag, ocib_error **err)
{
	const char *colon = strrchr(tag->name, ':');
	const char *name = text_printf(&r->pool, "docker://%.*s@%s", (int)(colon - tag->name),
				       tag->name, tag->digest);
	ocib_image *image = NULL;

	ocib_errc rc =
		ocib_image_open_platform(ctx, r->app->store, name, first_platform(r), &image, err);
	if (rc != OCIB_OK)
		return rc;
	tag->revision = image_says(&r->pool, image, KEY_PREFIX "revision");
	tag->base = image_says(&r->pool, image, KEY_PREFIX "base.digest");
	tag->image =
		text_copy(&r->pool, ocib_image_digest(image), strlen(ocib_image_digest(image)));
	tag->has_time = parse_time(image_says(&r->pool, image, KEY_PREFIX "created"), &tag->time);
	ocib_image_free(image);
	return OCIB_OK;
}

ocib_errc release_read_tag(release *r, ocib_context *ctx, release_tag *tag, ocib_error **err)
{
	ocib_error *failure = NULL;

	ocib_errc rc = release_resolve(ctx, tag, &r->pool, &failure);
	if (rc == OCIB_OK && *tag->digest)
		rc = read_origin(r, ctx, tag, &failure);
	/* Something is there that is no image for that platform: then it says nothing. */
	if (rc == OCIB_ERR_NOTFOUND || rc == OCIB_ERR_UNSUPPORTED) {
		ocib_error_free(failure);
		return OCIB_OK;
	}
	if (rc != OCIB_OK)
		*err = failure;
	return rc;
}

int release_look_tag(release *r, release_tag *tag)
{
	ocib_error *err = NULL;

	return release_read_tag(r, r->app->context, tag, &err) == OCIB_OK ? EXIT_OK
									  : release_report(r, err);
}

typedef struct tag_keeper {
	text_pool *pool;
	text_list *list;
} tag_keeper;

static int keep_tag(const char *tag, void *user)
{
	const tag_keeper *keeper = user;

	text_list_add(keeper->pool, keeper->list, text_copy(keeper->pool, tag, strlen(tag)));
	return 0;
}

/* Not every registry lists tags, and there is none before the first release. */
static int look_at_tags(release *r, release_place *place)
{
	tag_keeper keeper = {&r->pool, &place->tags};
	ocib_error *err = NULL;

	ocib_errc rc = ocib_registry_list_tags(r->app->context, place->repository, keep_tag,
					       &keeper, &err);
	if (rc == OCIB_ERR_CANCELED)
		return release_report(r, err);
	ocib_error_free(err);
	return EXIT_OK;
}

int release_look(release *r, release_job *job)
{
	int status = EXIT_OK;

	for (size_t i = 0; i < job->place_count && status == EXIT_OK; i++) {
		release_place *place = &job->places[i];
		ocib_error *err = NULL;

		status = release_look_tag(r, &place->latest);
		if (status == EXIT_OK &&
		    release_resolve(r->app->context, &place->version, &r->pool, &err) != OCIB_OK)
			status = release_report(r, err);
		if (status == EXIT_OK)
			status = look_at_tags(r, place);
	}
	return status;
}
