/* fuzz_dockerfile.c — any bytes as a Dockerfile: what parses knows where each word is, what does not says
 * where it is wrong, and triggers parse on their own or fail cleanly. */
#undef NDEBUG
#include <assert.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "dockerfile/instruction.h"
#include "dockerfile/run_mount.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Offsets of the lines of a source, so that many places are looked up in little time. */
typedef struct line_table {
	const ob_source_text *source;
	size_t *starts;
	size_t count;
} line_table;

static void line_table_done(line_table *table)
{
	free(table->starts);
}

static void fill_table(line_table *table, const ob_source_text *source)
{
	table->source = source;
	table->starts = malloc((source->len + 1) * sizeof(*table->starts));
	assert(table->starts);
	table->starts[table->count++] = 0;
	for (size_t i = 0; i < source->len; i++)
		if (source->data[i] == '\n')
			table->starts[table->count++] = i + 1;
}

static char byte_at(const line_table *table, const ob_location *at)
{
	size_t offset;

	assert(at->line >= 1 && at->line <= table->count && at->column >= 1);
	assert(at->end_line >= at->line);
	offset = table->starts[at->line - 1] + at->column - 1;
	assert(offset <= table->source->len);
	return table->source->data[offset];
}

/* A word's place is where it begins as written: its first byte is there, or the quote before it. Only
 * VOLUME's words may begin with white space that they lose, of the kinds that divide no words. */
static bool is_where_it_says(const line_table *table, const ob_instruction *i, const ob_word *word)
{
	char byte = byte_at(table, &word->at);

	if (i->json_form)
		return byte == '"';
	return !*word->text || byte == *word->text ||
	       (i->type == OB_INSTRUCTION_VOLUME && (byte & 0x80));
}

static void check_words(const line_table *table, const ob_instruction *i)
{
	for (size_t n = 0; n < i->words.len; n++) {
		const ob_word *word = &i->words.items[n];

		assert(is_where_it_says(table, i, word));
		assert(!word->heredoc || (word->heredoc >= i->heredocs &&
					  word->heredoc < i->heredocs + i->heredoc_count));
	}
	for (size_t n = 0; n < i->pair_count; n++)
		assert(!*i->pairs[n].key || byte_at(table, &i->pairs[n].at) == *i->pairs[n].key);
}

static void check_flags(const line_table *table, const ob_instruction *i)
{
	for (size_t n = 0; n < i->flag_count; n++) {
		ob_autodone(ob_run_mount) mount = {0};

		assert(byte_at(table, &i->flags[n].at) == '-');
		assert(ob_instruction_flag(i, i->flags[n].name));
		if (ob_str_eq(i->flags[n].name, "mount"))
			(void)ob_run_mount_parse(i->flags[n].value, NULL, NULL, &mount, NULL);
	}
}

static void check_instruction(const line_table *table, const ob_instruction *i)
{
	ob_auto(ob_dockerfile) trigger = NULL;

	check_words(table, i);
	check_flags(table, i);
	for (size_t n = 0; n < i->heredoc_count; n++) {
		assert(strlen(i->heredocs[n].content) == i->heredocs[n].len);
		assert(strlen(i->heredocs[n].raw) == i->heredocs[n].raw_len);
		assert(i->heredocs[n].len <= i->heredocs[n].raw_len);
		assert(i->heredocs[n].at.end_line <= i->at.end_line);
	}
	if (i->onbuild)
		(void)ob_instruction_parse_trigger(i->onbuild, &trigger, NULL);
	if (i->trigger)
		check_instruction(table, i->trigger);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ob_auto(ob_dockerfile) file = NULL;
	ob_auto(ocib_error) err = NULL;
	ob_autodone(line_table) table = {0};
	ocib_errc r = ob_dockerfile_parse("Dockerfile", (const char *)data, size, &file, &err);
	size_t instructions = 0;

	if (r != OCIB_OK) {
		assert(r == OCIB_ERR_SYNTAX || r == OCIB_ERR_LIMIT);
		assert(ocib_error_file(err) && *ocib_error_message(err));
		assert(ocib_error_line(err) == 0 || ocib_error_excerpt(err));
		return 0;
	}
	fill_table(&table, &file->source);
	for (size_t i = 0; i < file->len; i++)
		check_instruction(&table, &file->instructions[i]);
	for (size_t i = 0; i < file->stage_count; i++)
		instructions += 1 + file->stages[i].len;
	assert(instructions + file->global_count == file->len && file->stage_count > 0);
	return 0;
}
