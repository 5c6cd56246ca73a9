/* cli/release/release_undo.c — the tags back to what they were before a release that failed.
 *
 * A request that failed may have done its work all the same, so what counts is what the registry says
 * now. A moving tag is put back to the image it meant; a tag that did not exist is removed, which many
 * registries cannot: then it is said that it is there. A version tag that stays is harmless: it means what
 * it will mean when the release is run again, which then goes on from there.
 *
 * An interrupted run undoes too: the context is the one that is not canceled.
 */
#include <string.h>
#include "release.h"

static const char *describe(release *r, ocib_error **err)
{
	const char *text = ocib_error_message(*err);
	const char *copy = text_copy(&r->pool, text, strlen(text));

	*err = ocib_error_free(*err);
	return copy;
}

/* Does another run's moving tag need this version tag by now? */
static bool is_needed(release *r, ocib_context *ctx, const release_place *place, const char *digest)
{
	release_tag latest = {.name = place->latest.name};
	ocib_error *err = NULL;

	if (release_resolve(ctx, &latest, &r->pool, &err) == OCIB_OK)
		return strcmp(latest.digest, digest) == 0;
	ocib_error_free(err);
	return true;
}

/* Remove a tag that was not there before. @return what is to be said about it. */
static const char *remove_tag(release *r, ocib_context *ctx, const char *name)
{
	ocib_error *err = NULL;
	ocib_errc rc = ocib_registry_untag(ctx, name, &err);

	if (rc == OCIB_OK || rc == OCIB_ERR_NOTFOUND) {
		ocib_error_free(err);
		return "removed again";
	}
	if (rc == OCIB_ERR_UNSUPPORTED) {
		ocib_error_free(err);
		return "stays, because this registry removes no tags; run the release again to finish "
		       "it";
	}
	return text_printf(&r->pool, "stays: %s", describe(r, &err));
}

/* @p before is what the tag meant before this run; @p digest what the run made of it. */
static void undo_tag(release *r, ocib_context *ctx, const char *repository,
		     const release_tag *before, const char *tag, const char *digest)
{
	release_tag now = {.name = before->name};
	ocib_error *err = NULL;
	const char *image = text_printf(&r->pool, "%s@%s", repository, before->digest);

	if (release_resolve(ctx, &now, &r->pool, &err) != OCIB_OK) {
		release_say(r, "%s: not known what it means now: %s", now.name, describe(r, &err));
		return;
	}
	if (strcmp(now.digest, digest) != 0) {
		release_say(r, "%s: %s", now.name,
			    strcmp(now.digest, before->digest) == 0 ? "is as it was"
								    : "is another run's now");
		return;
	}
	if (!*before->digest)
		release_say(r, "%s: %s", now.name, remove_tag(r, ctx, before->name));
	else if (ocib_registry_tag(ctx, image, tag, &err) == OCIB_OK)
		release_say(r, "%s: put back to %s", now.name, before->digest);
	else
		release_say(r, "%s: could not be put back to %s: %s", now.name, before->digest,
			    describe(r, &err));
}

static void undo_places(release *r, release_job *job, ocib_context *ctx)
{
	const char *digest = release_digest(job);

	/* Moving tags first: nobody may find them without their version tag. */
	for (size_t i = 0; i < job->place_count; i++)
		if (job->places[i].put_latest)
			undo_tag(r, ctx, job->places[i].repository, &job->places[i].latest,
				 job->image->latest, digest);
	for (size_t i = 0; i < job->place_count; i++)
		if (job->places[i].put_version && !is_needed(r, ctx, &job->places[i], digest))
			undo_tag(r, ctx, job->places[i].repository, &job->places[i].version,
				 job->tag, digest);
}

void release_undo(release *r, release_job *job)
{
	undo_places(r, job, r->steady);
}
