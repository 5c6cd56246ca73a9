/* cli/build_result.c — --iidfile, --metadata-file, and what is printed when an image is built.
 *
 * Of several platforms what counts is the index: its digest is the image id, as with docker buildx.
 */
#include <errno.h>
#include <string.h>
#include "build_result.h"
#include "progress.h"

#define MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_INDEX    "application/vnd.oci.image.index.v1+json"

static const char *image_id(const ocib_image *image)
{
	const char *index = ocib_image_index_digest(image);

	return index ? index : ocib_image_id(image);
}

static int fail_write(const char *path)
{
	fprintf(stderr, "ocibuild: error: write '%s': %s\n", path, strerror(errno));
	return EXIT_OTHER;
}

static int write_id(const char *path, const ocib_image *image)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(image_id(image), file) < 0 || fclose(file) != 0)
		return fail_write(path);
	return EXIT_OK;
}

static void write_tags(FILE *file, const cli_list *tags)
{
	fputs(",\n  \"image.name\": \"", file);
	for (size_t i = 0; i < tags->len; i++)
		fprintf(file, "%s%s", i ? "," : "", tags->items[i]);
	fputc('"', file);
}

static int write_metadata(const build_report *report, const ocib_image *image)
{
	const char *index = ocib_image_index_digest(image);
	const char *digest = index ? index : ocib_image_digest(image);
	const char *text = index ? ocib_image_index_json(image) : ocib_image_manifest_json(image);
	FILE *file = fopen(report->metadata_file, "we");

	if (!file)
		return fail_write(report->metadata_file);
	fputs("{\n", file);
	if (!index)
		fprintf(file, "  \"containerimage.config.digest\": \"%s\",\n",
			ocib_image_id(image));
	fprintf(file,
		"  \"containerimage.descriptor\": {\n    \"mediaType\": \"%s\",\n    \"digest\": "
		"\"%s\",\n    \"size\": %zu\n  },\n",
		index ? MEDIA_INDEX : MEDIA_MANIFEST, digest, strlen(text));
	fprintf(file, "  \"containerimage.digest\": \"%s\"", digest);
	if (report->tags->len)
		write_tags(file, report->tags);
	fputs("\n}\n", file);
	return fclose(file) == 0 ? EXIT_OK : fail_write(report->metadata_file);
}

static void tell(const build_report *report, const ocib_image *image)
{
	const char *index = ocib_image_index_digest(image);
	char size[16];

	cli_format_size(ocib_image_size(image), size);
	if (index)
		fprintf(stderr, "built %s (an index; %s: %zu layers, %s)\n", index,
			ocib_image_platform(image), ocib_image_layer_count(image), size);
	else
		fprintf(stderr, "built %s (%zu layers, %s)\n", ocib_image_digest(image),
			ocib_image_layer_count(image), size);
	for (size_t i = 0; i < report->tags->len; i++)
		fprintf(stderr, "tagged %s\n", report->tags->items[i]);
}

int build_report_show(cli *app, const build_report *report, const ocib_image *image)
{
	int status = EXIT_OK;

	progress_pause(app->view);
	if (report->iidfile)
		status = write_id(report->iidfile, image);
	if (report->metadata_file && status == EXIT_OK)
		status = write_metadata(report, image);
	if (report->quiet)
		printf("%s\n", image_id(image));
	else if (!app->progress ||
		 (strcmp(app->progress, "rawjson") != 0 && strcmp(app->progress, "quiet") != 0))
		tell(report, image);
	return status;
}
