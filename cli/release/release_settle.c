/* cli/release/release_settle.c — after the tags are put: did another run put them too?
 *
 * A registry has no locks and no conditional writes, so each run looks after its last write, and mends
 * what only it may mend. Two rules make every mixture of two runs end in one state:
 *
 * Of runs that put one version tag, the owner is the one whose image the first registry's tag means. The
 * owner puts its tags again where another image has them; all others make every tag that means their own
 * image mean the owner's.
 *
 * Of runs with different version tags the newer one owns the moving tag. Version tags are put before
 * moving ones, so a run that has moved the tag sees the version tag of every run that moved it before;
 * where that one is newer, the moving tag is given back to it.
 */
#include <string.h>
#include "release.h"
#include "release_tags.h"

#define MOST_ROUNDS 4 /* of looking back and mending */

static bool same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* That tags cannot be read after all were put is no reason to take them back. */
static void warn_unknown(release *r, const release_place *place, ocib_error *err)
{
	release_say(r,
		    "warning: %s: the tags are in place, but whether another run has put them too "
		    "is not known: %s",
		    place->repository, ocib_error_message(err));
	ocib_error_free(err);
}

static int fail_lost(release *r, const release_tag *version, const char *digest)
{
	return release_fail(
		r, EXIT_OTHER, "run it again to see what is there",
		"another run released %s at the same time, as %s, and its tags stand; this "
		"build was %s",
		version->name, version->digest, digest);
}

/* --- the version tag --- */

/* Every tag that means our image means the owner's from now on. */
static ocib_errc step_back(release *r, const release_job *job, const char *owner, ocib_error **err)
{
	const char *digest = release_digest(job);
	ocib_errc rc = OCIB_OK;

	for (size_t i = 0; i < job->place_count && rc == OCIB_OK; i++) {
		const release_place *place = &job->places[i];
		release_tag version = {.name = place->version.name};
		release_tag latest = {.name = place->latest.name};

		rc = release_resolve(r->steady, &version, &r->pool, err);
		if (rc == OCIB_OK)
			rc = release_resolve(r->steady, &latest, &r->pool, err);
		if (rc == OCIB_OK && same(version.digest, digest))
			rc = release_put_tag(r, place, owner, job->tag, err);
		if (rc == OCIB_OK && same(latest.digest, digest))
			rc = release_put_tag(r, place, owner, job->image->latest, err);
	}
	return rc;
}

int release_check_owner(release *r, const release_job *job)
{
	release_tag version = {.name = job->places[0].version.name};
	const char *digest = release_digest(job);
	ocib_error *err = NULL;

	if (release_resolve(r->steady, &version, &r->pool, &err) != OCIB_OK) {
		warn_unknown(r, &job->places[0], err);
		return EXIT_OK;
	}
	if (!*version.digest || same(version.digest, digest))
		return EXIT_OK;
	if (step_back(r, job, version.digest, &err) != OCIB_OK)
		return release_report(r, err);
	return fail_lost(r, &version, digest);
}

/* --- the moving tag --- */

/* Is an image of another run, under @p version or not, newer than ours? */
static bool is_newer(release *r, const release_job *job, const release_tag *image,
		     const char *version)
{
	if (*image->revision && !same(image->revision, r->commit.id))
		return release_is_newer(r, image);
	return version && release_tag_needs_time(job->image->tag) && strcmp(version, job->tag) > 0;
}

typedef struct newcomers {
	release *r;
	const release_job *job;
	const release_place *place;
	text_list tags;
} newcomers;

static int keep_newcomer(const char *tag, void *user)
{
	newcomers *n = user;
	bool known = same(tag, n->job->tag) || !release_tag_has_shape(n->job->image->tag, tag);

	for (size_t i = 0; i < n->place->tags.len && !known; i++)
		known = same(n->place->tags.items[i], tag);
	if (!known)
		text_list_add(&n->r->pool, &n->tags, text_copy(&n->r->pool, tag, strlen(tag)));
	return 0;
}

/* Of two newer ones, is this the newer? */
static bool is_better(const release_job *job, const release_tag *tag, const release_tag *best)
{
	if (!*best->digest)
		return true;
	if (tag->has_time && best->has_time && tag->time != best->time)
		return tag->time > best->time;
	return release_tag_needs_time(job->image->tag) && strcmp(tag->name, best->name) > 0;
}

/* The newest of the runs that began after we looked; its digest is "" when none is newer than we are. */
static ocib_errc find_newest(const newcomers *n, release_tag *best, ocib_error **err)
{
	release *r = n->r;

	*best = (release_tag){.digest = ""};
	for (size_t i = 0; i < n->tags.len; i++) {
		release_tag tag = {.name = text_printf(&r->pool, "%s:%s", n->place->repository,
						       n->tags.items[i])};
		ocib_errc rc = release_read_tag(r, r->steady, &tag, err);

		if (rc != OCIB_OK)
			return rc;
		if (*tag.digest && is_newer(r, n->job, &tag, n->tags.items[i]) &&
		    is_better(n->job, &tag, best))
			*best = tag;
	}
	return OCIB_OK;
}

/* Give the moving tag to a run that is newer than we are and moved it before us. */
static ocib_errc yield(release *r, const release_job *job, release_place *place, ocib_error **err)
{
	newcomers n = {.r = r, .job = job, .place = place};
	ocib_error *failure = NULL;
	release_tag best;

	/* Not every registry lists tags. */
	if (ocib_registry_list_tags(r->steady, place->repository, keep_newcomer, &n, &failure) !=
	    OCIB_OK) {
		ocib_error_free(failure);
		return OCIB_OK;
	}
	if (find_newest(&n, &best, &failure) != OCIB_OK) {
		warn_unknown(r, place, failure);
		return OCIB_OK;
	}
	if (!*best.digest)
		return OCIB_OK;
	place->moves_latest = false;
	release_say(r, "%s: another run has released %s meanwhile, which is newer",
		    place->latest.name, best.name);
	return release_put_tag(r, place, best.digest, job->image->latest, err);
}

/* --- one place --- */

/* Another run has moved the tag after us: may it keep it? */
static ocib_errc settle_latest(release *r, const release_job *job, release_place *place,
			       const release_tag *latest, bool *settled, ocib_error **err)
{
	if (*latest->digest && is_newer(r, job, latest, NULL)) {
		place->moves_latest = false;
		release_say(r, "%s: another run has moved it to %.7s since, which is newer",
			    latest->name, latest->revision);
		return OCIB_OK;
	}
	*settled = false;
	return release_put_tag(r, place, release_digest(job), job->image->latest, err);
}

/* Both tags as they should be? Where one is not, mend it, and *settled is false: look again. */
static ocib_errc settle(release *r, const release_job *job, release_place *place, bool *settled,
			ocib_error **err)
{
	const char *digest = release_digest(job);
	release_tag version = {.name = place->version.name}, latest = {.name = place->latest.name};

	ocib_errc rc = release_resolve(r->steady, &version, &r->pool, err);
	if (rc == OCIB_OK && place->put_latest)
		rc = release_read_tag(r, r->steady, &latest, err);
	if (rc != OCIB_OK) {
		warn_unknown(r, place, *err);
		*err = NULL;
		return OCIB_OK;
	}
	/* A run that lost, or one of the same image that failed and took back what was ours too. */
	if (!same(version.digest, digest)) {
		*settled = false;
		return release_put_tag(r, place, digest, job->tag, err);
	}
	if (!place->put_latest || !place->moves_latest)
		return OCIB_OK;
	return same(latest.digest, digest) ? yield(r, job, place, err)
					   : settle_latest(r, job, place, &latest, settled, err);
}

/* Once over all places; *settled false: something was mended. */
static int settle_places(release *r, release_job *job, bool *settled)
{
	int status = release_check_owner(r, job);

	*settled = true;
	for (size_t i = 0; i < job->place_count && status == EXIT_OK; i++) {
		ocib_error *err = NULL;

		if (settle(r, job, &job->places[i], settled, &err) != OCIB_OK)
			status = release_report(r, err);
	}
	return status;
}

int release_settle(release *r, release_job *job)
{
	bool settled = false;

	for (int round = 0; !settled && round < MOST_ROUNDS; round++) {
		int status = settle_places(r, job, &settled);

		if (status != EXIT_OK)
			return status;
	}
	if (settled)
		return EXIT_OK;
	return release_fail(r, EXIT_OTHER, "let one run release at a time",
			    "another run keeps moving the tags of %s", job->image->name);
}
