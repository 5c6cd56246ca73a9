/* fuzz_release_config.c — any bytes as ocibuild.yaml: a configuration, or one problem with a line of the file,
 * which may go to a terminal; the same both times; and what is accepted can be used.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "cli/release/release_config.h"
#include "cli/release/release_paths.h"
#include "cli/release/release_tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char commit[] = "0123456789abcdef0123456789abcdef01234567";

static unsigned count_lines(const uint8_t *data, size_t size)
{
	unsigned lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n' || data[i] == '\r' || data[i] >= 0x80;
	return lines;
}

static void use_image(text_pool *pool, const release_image *image)
{
	char why[200];
	const char *tag = release_tag_format(pool, image->tag, commit, 1700000000, false);

	assert(release_tag_check(image->tag, why, sizeof(why)));
	assert(release_tag_has_shape(image->tag, tag));
	assert(*tag && strlen(tag) <= 128 && !strpbrk(tag, "{}/:@ "));
	assert(!release_name_check(image->name));
	for (size_t i = 0; i < image->labels.len; i++)
		assert(strchr(image->labels.items[i], '='));
}

static void use(text_pool *pool, const release_config *config)
{
	use_image(pool, &config->runtime);
	use_image(pool, &config->app);
	for (size_t i = 0; i < config->ignore.len && i < 20; i++)
		(void)release_pattern_match(config->ignore.items[i], "docs/a/b.md");
	(void)release_path_is_ignored(&config->ignore, "README.md");
	for (size_t i = 0; i < config->registry_count; i++)
		assert(config->registries[i].address);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	config_problem problem = {0}, again_problem = {0};
	text_pool pool = {0}, again_pool = {0};
	release_config config, again;

	bool ok = release_config_parse(&pool, (const char *)data, size, &config, &problem);
	assert(ok ==
	       release_config_parse(&again_pool, (const char *)data, size, &again, &again_problem));
	assert(ok == !problem.text[0]);
	assert(problem.line == again_problem.line && !strcmp(problem.text, again_problem.text));
	assert(problem.line <= count_lines(data, size) + 1);
	for (const unsigned char *at = (const unsigned char *)problem.text; *at; at++)
		assert(*at >= 0x20 && *at != 0x7f &&
		       !(at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0));
	if (ok)
		use(&pool, &config);
	text_pool_done(&pool);
	text_pool_done(&again_pool);
	return 0;
}
