/* cli/release/release_publish.c — from an image in the cache to tags in registries, all or nothing.
 *
 * The order makes every moment one that may be the last: the image by its digest everywhere, then version
 * tags everywhere, then the moving tags; then a look whether another run came in between
 * (release_settle.c). What fails before that is taken back (release_undo.c).
 */
#include <string.h>
#include "release.h"
#include "release_ci.h"
#include "release_tags.h"

static bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* --- before anything is sent --- */

/* A version tag is never moved; one that ends in -dirty is no version. */
static int check_versions(release *r, const release_job *job)
{
	const char *digest = release_digest(job);

	for (size_t i = 0; i < job->place_count; i++) {
		const release_tag *version = &job->places[i].version;

		if (!*version->digest || same(version->digest, digest) || r->commit.dirty)
			continue;
		return release_fail(
			r, EXIT_OTHER,
			"the same commit gives the same digest where its inputs are the "
			"same; look at the base images and at what RUN fetches, or release "
			"a new commit",
			"%s is %s already, and this build is %s: a version tag is not moved",
			version->name, version->digest, digest);
	}
	return EXIT_OK;
}

/* --- sending --- */

static int push_blobs(release *r, release_job *job)
{
	const char *digest = release_digest(job);

	for (size_t i = 0; i < job->place_count; i++) {
		const char *repository = job->places[i].repository;
		const char *name = text_printf(&r->pool, "%s@%s", repository, digest);
		ocib_transfer_result result = {0};
		ocib_error *err = NULL;
		char size[16];

		if (ocib_push(r->app->context, r->app->store, digest, name, NULL, &result, &err) !=
		    OCIB_OK)
			return release_report(r, err);
		cli_format_size(result.bytes, size);
		release_say(r, "%s: %s sent, %llu blobs were there", repository, size,
			    (unsigned long long)result.blobs_skipped);
	}
	return EXIT_OK;
}

/*
 * Not interrupted: of a request that was broken off nobody knows what becomes of it. An interrupt is
 * looked at between tags; when it comes after the last one, the release is finished.
 */
ocib_errc release_put_tag(release *r, const release_place *place, const char *digest,
			  const char *tag, ocib_error **err)
{
	const char *image = text_printf(&r->pool, "%s@%s", place->repository, digest);

	return ocib_registry_tag(r->steady, image, tag, err);
}

static int check_interrupted(release *r)
{
	if (!cli_interrupted())
		return EXIT_OK;
	progress_pause(r->app->view);
	fprintf(stderr, "ocibuild: interrupted\n");
	return EXIT_OTHER;
}

/*
 * Since we looked, another run has put this tag. Where the first registry's is ours all the same, the
 * other has put that one before us, and all are ours.
 */
static int check_other(release *r, const release_job *job, const release_place *place,
		       const release_tag *now)
{
	const char *digest = release_digest(job);

	if (!*now->digest || same(now->digest, digest) || same(now->digest, place->version.digest))
		return EXIT_OK;
	if (place > job->places)
		return release_check_owner(r, job);
	return release_fail(r, EXIT_OTHER, "run it again to see what is there",
			    "another run has just released %s as %s, this build is %s", now->name,
			    now->digest, digest);
}

static int put_version(release *r, release_job *job, release_place *place)
{
	const char *digest = release_digest(job);
	release_tag now = {.name = place->version.name};
	ocib_error *err = NULL;

	if (same(place->version.digest, digest))
		return EXIT_OK;
	if (release_resolve(r->app->context, &now, &r->pool, &err) != OCIB_OK)
		return release_report(r, err);
	int status = check_other(r, job, place, &now);
	if (status != EXIT_OK)
		return status;
	place->put_version = true;
	if (release_put_tag(r, place, digest, job->tag, &err) != OCIB_OK)
		return release_report(r, err);
	return EXIT_OK;
}

/* Somebody else may have moved it since we looked, perhaps beyond us. */
static int put_latest(release *r, release_job *job, release_place *place)
{
	const char *digest = release_digest(job);
	release_tag now = {.name = place->latest.name};
	ocib_error *err = NULL;

	int status = release_look_tag(r, &now);
	if (status != EXIT_OK || same(now.digest, digest))
		return status;
	if (!same(now.digest, place->latest.digest)) {
		place->latest = now;
		if (!r->options.move_latest && release_is_newer(r, &now)) {
			place->moves_latest = false;
			release_say(r,
				    "%s stays: another run has just moved it to %.7s, which is "
				    "newer",
				    now.name, now.revision);
			return EXIT_OK;
		}
	}
	place->put_latest = true;
	if (release_put_tag(r, place, digest, job->image->latest, &err) != OCIB_OK)
		return release_report(r, err);
	return EXIT_OK;
}

/* --- the whole --- */

static int put_tags(release *r, release_job *job)
{
	int status = check_interrupted(r);

	for (size_t i = 0; i < job->place_count && status == EXIT_OK; i++) {
		status = put_version(r, job, &job->places[i]);
		if (status == EXIT_OK)
			status = check_interrupted(r);
	}
	for (size_t i = 0; i < job->place_count && status == EXIT_OK; i++) {
		if (job->places[i].moves_latest)
			status = put_latest(r, job, &job->places[i]);
		if (status == EXIT_OK && i + 1 < job->place_count)
			status = check_interrupted(r);
	}
	return status;
}

static int send(release *r, release_job *job)
{
	int status = push_blobs(r, job);

	if (status != EXIT_OK)
		return status;
	status = put_tags(r, job);
	if (status != EXIT_OK)
		release_undo(r, job);
	else
		status = release_settle(r, job);
	return status;
}

int release_publish(release *r, release_job *job)
{
	const char *digest = release_digest(job);
	const char *id = text_printf(&r->pool, "publish_%s", job->image->key);
	int status = check_versions(r, job);

	if (status != EXIT_OK)
		return status;
	if (release_is_in_place(r, job, digest)) {
		const release_place *first = &job->places[0];
		bool by_time = release_tag_needs_time(job->image->tag);

		job->outcome = text_printf(
			&r->pool, "nothing changed: %s is %s already; nothing was pushed",
			by_time ? first->latest.name : first->version.name, digest);
		return EXIT_OK;
	}
	ci_group_begin(id, text_printf(&r->pool, "publish %s", job->image->key));
	status = send(r, job);
	ci_group_end(id);
	if (status != EXIT_OK)
		return status;
	job->pushed = true;
	job->outcome = text_printf(&r->pool, "released %s:%s", job->image->name, job->tag);
	return EXIT_OK;
}
