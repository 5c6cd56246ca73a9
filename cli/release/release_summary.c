/* cli/release/release_summary.c — the plan, the result on standard output, the summary in Markdown. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "release.h"
#include "release_tags.h"

#define LONGEST_CELL 400 /* bytes of a text in the summary */

/* --- the plan --- */

static void print_tag(const release_tag *tag, const char *what)
{
	printf("  %s\n", tag->name);
	printf("    is    %s\n", *tag->digest ? tag->digest : "not there");
	if (*tag->revision)
		printf("    from  commit %.7s\n", tag->revision);
	printf("    plan  %s\n", what);
}

static const char *plan_version(const release *r, const release_tag *version)
{
	if (!*version->digest)
		return "push it";
	return r->commit.dirty ? "push it, in place of the one that is there"
			       : "keep it; another digest under this tag is refused";
}

static const char *plan_latest(const release *r, const release_place *place)
{
	if (r->commit.dirty)
		return "leave it: the tree is dirty";
	if (!place->moves_latest)
		return "leave it: it is from a newer commit";
	return *place->latest.digest ? "move it to the new image" : "push it";
}

void release_print_plan(release *r, const release_job *job)
{
	const release_image *image = job->image;

	progress_pause(r->app->view);
	printf("%s: %s, context '%s'\n", image->key, image->dockerfile, image->context);
	if (*r->commit.id)
		printf("  commit %s (%s)%s\n", r->commit.id, r->commit.from,
		       r->commit.dirty ? ", dirty" : "");
	if (r->has_epoch)
		printf("  SOURCE_DATE_EPOCH %lld\n", (long long)r->epoch);
	if (job->base)
		printf("  base %s\n", job->base);
	if (job->outcome) {
		printf("  %s\n", job->outcome);
		return;
	}
	for (size_t i = 0; i < job->place_count; i++) {
		const release_place *place = &job->places[i];

		print_tag(&place->version, plan_version(r, &place->version));
		print_tag(&place->latest, plan_latest(r, place));
	}
}

/* --- the result --- */

void release_print_result(const release *r, const release_job *job)
{
	progress_pause(r->app->view);
	if (job->outcome)
		fprintf(stderr, "%s: %s\n", job->image->key, job->outcome);
	for (size_t i = 0; job->pushed && i < job->place_count; i++) {
		const release_place *place = &job->places[i];
		const char *digest = release_digest(job);

		printf("%s@%s\n", place->version.name, digest);
		if (place->moves_latest)
			printf("%s@%s\n", place->latest.name, digest);
	}
}

/* --- the summary --- */

/* A cell: no newline, nothing that ends it, and nothing that Markdown makes something of. */
static void write_cell(FILE *to, const char *text)
{
	for (size_t i = 0; text[i] && i < LONGEST_CELL; i++) {
		if (strchr("|<>`*_[]\\&!~", text[i]))
			fprintf(to, "&#%d;", text[i]);
		else
			fputc(strchr("\n\r\t", text[i]) ? ' ' : text[i], to);
	}
}

static void write_tags(FILE *to, const release_job *job)
{
	const char *digest = release_digest(job);
	char size[16];

	cli_format_size(ocib_image_size(job->built), size);
	fputs("| tag | digest | size |\n|---|---|---|\n", to);
	for (size_t i = 0; i < job->place_count; i++) {
		const release_place *place = &job->places[i];

		fprintf(to, "| `%s` | `%s` | %s |\n", place->version.name, digest, size);
		if (place->moves_latest)
			fprintf(to, "| `%s` | `%s` | %s |\n", place->latest.name, digest, size);
	}
	fputc('\n', to);
}

static void write_steps(FILE *to, const release_steps *steps)
{
	size_t cached = 0;

	for (size_t i = 0; i < steps->len; i++)
		cached += steps->items[i].cached;
	fprintf(to, "<details><summary>%zu steps, %zu from the cache</summary>\n\n", steps->len,
		cached);
	fputs("| step | time |\n|---|---:|\n", to);
	for (size_t i = 0; i < steps->len; i++) {
		const release_step *step = &steps->items[i];

		fputs("| ", to);
		write_cell(to, step->title);
		if (step->cached)
			fputs(" | cached |\n", to);
		else
			fprintf(to, " | %s%.2f s |\n", step->failed ? "failed after " : "",
				(double)step->milliseconds / 1000);
	}
	fputs("\n</details>\n\n", to);
}

static const char *why_not(const release *r)
{
	if (cli_interrupted())
		return "interrupted";
	return r->failure ? r->failure : "a failure";
}

static void write_all(FILE *to, const release *r, const release_job *job)
{
	fprintf(to, "### %s\n\n", job->image->key);
	if (!job->outcome)
		fputs("**not released**: ", to);
	write_cell(to, job->outcome ? job->outcome : why_not(r));
	fputs("\n\n", to);
	if (job->pushed)
		write_tags(to, job);
	if (*r->commit.id)
		fprintf(to, "Commit `%.7s`%s", r->commit.id, r->commit.dirty ? " (dirty)" : "");
	if (job->base)
		fprintf(to, ", on `%s`", job->base);
	fputs("\n\n", to);
	if (job->steps.len)
		write_steps(to, &job->steps);
}

void release_write_summary(const release *r, const release_job *job)
{
	const char *path = getenv("GITHUB_STEP_SUMMARY");
	FILE *to = path && *path ? fopen(path, "ae") : NULL;

	if (to)
		write_all(to, r, job);
	if (path && *path && (!to || fclose(to) != 0))
		fprintf(stderr, "ocibuild: warning: write the summary '%s': %s\n", path,
			strerror(errno));
}
