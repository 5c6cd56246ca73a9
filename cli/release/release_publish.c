/* cli/release/release_publish.c — from an image in the cache to tags in registries, all or nothing.
 *
 * The order makes every moment one that may be the last: the image by its digest everywhere, then version
 * tags everywhere, then the moving tags. A registry has no locks, so after each write we look whether it
 * is still ours. Of two runs that put one version tag, the one that wrote it last owns it: the other sees
 * that when it looks back, makes the moving tag mean the owner's image where it wrote it itself, and says
 * that it lost. So the two tags end up as a pair whichever way the two runs mix.
 */
#include <string.h>
#include "release.h"
#include "release_ci.h"
#include "release_tags.h"

#define MOST_ROUNDS 4 /* of looking back and mending */

static bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* --- before anything is sent --- */

/* A version tag is never moved; one that ends in -dirty is no version. */
static int check_versions(release *r, const release_job *job)
{
	const char *digest = ocib_image_digest(job->built);

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

/*
 * Once more where the registry finds the manifest wrong: it may have been writing the same blob for
 * another run just then (docker-registry's links of blobs are not written at once).
 */
static ocib_errc push_one(release *r, const char *digest, const char *name,
			  ocib_transfer_result *result, ocib_error **err)
{
	ocib_errc rc = ocib_push(r->app->context, r->app->store, digest, name, NULL, result, err);

	if (rc != OCIB_ERR_PROTOCOL || ocib_error_http_status(*err) != 400)
		return rc;
	*err = ocib_error_free(*err);
	return ocib_push(r->app->context, r->app->store, digest, name, NULL, result, err);
}

static int push_blobs(release *r, release_job *job)
{
	const char *digest = ocib_image_digest(job->built);

	for (size_t i = 0; i < job->place_count; i++) {
		const char *repository = job->places[i].repository;
		const char *name = text_printf(&r->pool, "%s@%s", repository, digest);
		ocib_transfer_result result = {0};
		ocib_error *err = NULL;
		char size[16];

		if (push_one(r, digest, name, &result, &err) != OCIB_OK)
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
static ocib_errc put_tag(release *r, const release_job *job, const release_place *place,
			 const char *tag, ocib_error **err)
{
	const char *image =
		text_printf(&r->pool, "%s@%s", place->repository, ocib_image_digest(job->built));

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

/* Since we looked, somebody else may have put this tag. */
static int put_version(release *r, release_job *job, release_place *place)
{
	const char *digest = ocib_image_digest(job->built);
	release_tag now = {.name = place->version.name};
	ocib_error *err = NULL;

	if (same(place->version.digest, digest))
		return EXIT_OK;
	ocib_errc rc = release_resolve(r->app->context, &now, &r->pool, &err);
	if (rc == OCIB_OK && *now.digest && !same(now.digest, place->version.digest) &&
	    !same(now.digest, digest))
		return release_fail(r, EXIT_OTHER, "run it again to see what is there",
				    "another run has just released %s as %s, this build is %s",
				    now.name, now.digest, digest);
	place->put_version = true;
	if (rc == OCIB_OK)
		rc = put_tag(r, job, place, job->tag, &err);
	return rc == OCIB_OK ? EXIT_OK : release_report(r, err);
}

/* Somebody else may have moved it since we looked, perhaps beyond us. */
static int put_latest(release *r, release_job *job, release_place *place)
{
	const char *digest = ocib_image_digest(job->built);
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
	if (put_tag(r, job, place, job->image->latest, &err) != OCIB_OK)
		return release_report(r, err);
	return EXIT_OK;
}

/* --- looking back --- */

/* The other run's version tag stands: where the moving tag is ours, it becomes the other's too. */
static int step_back(release *r, release_place *place, const release_tag *version,
		     const release_tag *latest, const release_job *job)
{
	ocib_error *err = NULL;
	const char *image = text_printf(&r->pool, "%s@%s", place->repository, version->digest);

	if (same(latest->digest, ocib_image_digest(job->built)) &&
	    ocib_registry_tag(r->steady, image, job->image->latest, &err) != OCIB_OK)
		return release_report(r, err);
	return release_fail(
		r, EXIT_OTHER, "run it again to see what is there",
		"another run released %s at the same time, as %s, and its tags stand; this "
		"build was %s",
		version->name, *version->digest ? version->digest : "nothing",
		ocib_image_digest(job->built));
}

/* The tags as they are now. That they cannot be read is no reason to take them back. */
static bool read_back(release *r, const release_place *place, release_tag *version,
		      release_tag *latest)
{
	ocib_error *err = NULL;
	ocib_errc rc;

	*version = (release_tag){.name = place->version.name};
	*latest = (release_tag){.name = place->latest.name, .digest = "", .revision = ""};
	rc = release_resolve(r->steady, version, &r->pool, &err);
	if (rc == OCIB_OK && place->put_latest)
		rc = release_read_tag(r, r->steady, latest, &err);
	if (rc != OCIB_OK)
		release_say(r,
			    "warning: %s: the tags are in place, but whether another run has put "
			    "them too is not known: %s",
			    place->repository, ocib_error_message(err));
	ocib_error_free(err);
	return rc == OCIB_OK;
}

/* Is the moving tag where a run of a newer commit has put it? */
static bool was_overtaken(release *r, const release_tag *latest)
{
	return *latest->revision && !same(latest->revision, r->commit.id) &&
	       (!*r->commit.id || release_is_newer(r, latest));
}

/* Both tags as they should be? Where one is not, mend it, and *settled is false: look again. */
static int settle(release *r, release_job *job, release_place *place, bool *settled)
{
	const char *digest = ocib_image_digest(job->built);
	release_tag version, latest;
	ocib_error *err = NULL;
	ocib_errc rc = OCIB_OK;

	*settled = true;
	if (!read_back(r, place, &version, &latest))
		return EXIT_OK;
	if (*version.digest && !same(version.digest, digest))
		return step_back(r, place, &version, &latest, job);
	if (!*version.digest) {
		/* Another run of the same image failed and took its tag back, which was ours too. */
		*settled = false;
		rc = put_tag(r, job, place, job->tag, &err);
	} else if (place->put_latest && !same(latest.digest, digest)) {
		if (was_overtaken(r, &latest)) {
			place->moves_latest = false;
			release_say(r, "%s: another run has moved it to %.7s since", latest.name,
				    latest.revision);
			return EXIT_OK;
		}
		*settled = false;
		rc = put_tag(r, job, place, job->image->latest, &err);
	}
	return rc == OCIB_OK ? EXIT_OK : release_report(r, err);
}

static int settle_all(release *r, release_job *job)
{
	for (size_t i = 0; i < job->place_count; i++) {
		bool settled = false;

		for (int round = 0; !settled && round < MOST_ROUNDS; round++) {
			int status = settle(r, job, &job->places[i], &settled);

			if (status != EXIT_OK)
				return status;
		}
		if (!settled)
			return release_fail(r, EXIT_OTHER, "let one run release at a time",
					    "another run keeps moving %s",
					    job->places[i].latest.name);
	}
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
		status = settle_all(r, job);
	return status;
}

int release_publish(release *r, release_job *job)
{
	const char *digest = ocib_image_digest(job->built);
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
