/* cli/release/release_policy.c — the rules: what need not be released, where latest may go, whose clock is right.
 *
 * The commit an image was made from is what the image itself says. Where history cannot tell which of two
 * commits is older (a shallow clone, another branch), the commits' times do; where nothing tells, the
 * moving tag moves.
 */
#include <stdlib.h>
#include <string.h>
#include "release.h"
#include "release_paths.h"
#include "release_tags.h"

#define SHOWN_FILES 5

/* --- skipping --- */

static const char *list_files(text_pool *pool, const text_list *files)
{
	const char *text = "";

	for (size_t i = 0; i < files->len && i < SHOWN_FILES; i++)
		text = text_printf(pool, "%s%s%s", text, i ? ", " : "", files->items[i]);
	if (files->len > SHOWN_FILES)
		text = text_printf(pool, "%s and %zu more", text, files->len - SHOWN_FILES);
	return text;
}

/* Nothing new since the latest image of one place? Otherwise *why says what is. */
static bool is_unchanged(release *r, const release_place *place, text_list *files, const char **why)
{
	text_pool *pool = &r->pool;
	const char *revision = place->latest.revision;

	if (!*place->latest.digest) {
		*why = text_printf(pool, "%s does not exist yet", place->latest.name);
		return false;
	}
	if (!*revision) {
		*why = text_printf(pool, "%s does not say which commit it is from",
				   place->latest.name);
		return false;
	}
	if (!release_commit_changes(pool, &r->commit, revision, files, why)) {
		*why = text_printf(pool, "what changed since %.7s cannot be told: %s", revision,
				   *why);
		return false;
	}
	for (size_t i = 0; i < files->len; i++)
		if (!release_path_is_ignored(&r->config.ignore, files->items[i])) {
			*why = text_printf(pool, "'%s' changed since %.7s", files->items[i],
					   revision);
			return false;
		}
	/* The same commit, but its own tag is missing: an earlier run did not come to its end. */
	if (!files->len && strcmp(revision, r->commit.id) == 0 && !*place->version.digest) {
		*why = text_printf(pool, "%s does not exist yet", place->version.name);
		return false;
	}
	return true;
}

bool release_may_skip(release *r, release_job *job)
{
	text_list files = {0};
	const char *why = "";

	if (r->options.force) {
		release_say(r, "%s: released in any case (--force)", job->image->key);
		return false;
	}
	for (size_t i = 0; i < job->place_count; i++) {
		files = (text_list){0};
		if (!is_unchanged(r, &job->places[i], &files, &why)) {
			release_say(r, "%s: to be released, because %s", job->image->key, why);
			return false;
		}
	}
	const char *since = job->places[0].latest.revision;
	job->outcome =
		files.len ? text_printf(&r->pool,
					"nothing to release: since %.7s only documentation and "
					"configuration changed: %s (--force releases all the same)",
					since, list_files(&r->pool, &files))
			  : text_printf(&r->pool,
					"nothing to release: no file changed since %.7s (--force "
					"releases all the same)",
					since);
	return true;
}

/* --- where latest goes --- */

bool release_is_newer(release *r, const release_tag *tag)
{
	switch (release_commit_compare(&r->pool, &r->commit, tag->revision)) {
	case COMMIT_AFTER: return true;
	case COMMIT_SAME:
	case COMMIT_BEFORE: return false;
	case COMMIT_DIVERGED:
	case COMMIT_UNKNOWN: break;
	}
	return tag->has_time && r->commit.has_time && tag->time > r->commit.time;
}

void release_plan_latest(release *r, release_job *job)
{
	for (size_t i = 0; i < job->place_count; i++) {
		release_place *place = &job->places[i];

		place->moves_latest = !r->commit.dirty;
		if (r->commit.dirty || !*place->latest.digest || r->options.move_latest ||
		    !release_is_newer(r, &place->latest))
			continue;
		place->moves_latest = false;
		release_say(
			r,
			"%s stays: it is from %.7s, which is newer than %.7s (--move-latest moves "
			"it back)",
			place->latest.name, place->latest.revision, r->commit.id);
	}
}

bool release_is_in_place(const release *r, const release_job *job, const char *digest)
{
	bool by_time = release_tag_needs_time(job->image->tag);

	(void)r;
	for (size_t i = 0; i < job->place_count; i++) {
		const release_place *place = &job->places[i];
		bool has_latest = strcmp(place->latest.digest, digest) == 0;

		/* A tag by time is new each time: what the moving tag means has one already. */
		if (by_time ? !has_latest : strcmp(place->version.digest, digest) != 0)
			return false;
		if (place->moves_latest && !has_latest)
			return false;
	}
	return true;
}

/* --- the clock --- */

/* The newest version tag of a place, "" when there is none. */
static const char *newest_tag(const release_job *job, const release_place *place)
{
	const char *newest = "";

	for (size_t i = 0; i < place->tags.len; i++)
		if (release_tag_has_shape(job->image->tag, place->tags.items[i]) &&
		    strcmp(place->tags.items[i], newest) > 0)
			newest = place->tags.items[i];
	return newest;
}

static int fail_clock(release *r, const release_place *place, const char *newest)
{
	struct tm tm = {0};
	char now[40] = "";

	(void)gmtime_r(&r->now, &tm);
	(void)strftime(now, sizeof(now), "%Y-%m-%d %H:%M:%S UTC", &tm);
	if (r->options.force) {
		release_say(r,
			    "%s:%s exists already, and here it is %s: released all the same "
			    "(--force)",
			    place->repository, newest, now);
		return EXIT_OK;
	}
	return release_fail(
		r, EXIT_OTHER, "set the clock; --force releases all the same",
		"here it is %s, but %s:%s exists already: is this machine's clock wrong?", now,
		place->repository, newest);
}

int release_check_clock(release *r, release_job *job)
{
	int status = EXIT_OK;

	if (!release_tag_needs_time(job->image->tag))
		return EXIT_OK;
	if (r->commit.has_time && r->commit.time > r->now + 300)
		release_say(r,
			    "commit %.7s is from the future: this machine's clock, or the one it "
			    "was made on, is wrong",
			    r->commit.id);
	for (size_t i = 0; i < job->place_count && status == EXIT_OK; i++) {
		const char *newest = newest_tag(job, &job->places[i]);

		if (strcmp(newest, job->tag) > 0)
			status = fail_clock(r, &job->places[i], newest);
	}
	return status;
}
