/* The second level against the shared vectors: what is refused, flags, the forms of RUN. */
#include "dockerfile/instruction.h"
#include "dockerfile/instruction_flags.h"
#include "dockerfile/json_words.h"
#include "vectors.h"

static bool check_error(const ob_json *vector)
{
	ob_auto(ob_dockerfile) file = NULL;

	return ob_instruction_parse_trigger(ob_json_get_str(vector, "instruction"), &file,
					    &t_err) == OCIB_ERR_SYNTAX ||
	       VECTOR_WRONG(vector, "was not refused");
}

static bool check_flags(const ob_json *vector)
{
	static const ob_flag_rule rules[] = {{"str1", OB_FLAG_STRING}, {"bool1", OB_FLAG_BOOL}};
	const ob_json *args = ob_json_get(vector, "args");
	ob_autodone(ob_words) words = {0};
	ob_instruction made = {0};
	size_t wrong;
	ocib_errc r;

	for (size_t i = 0; i < ob_json_len(args); i++) {
		const char *text = ob_json_str(ob_json_at(args, i));

		assert_int_equal(
			ob_words_add(&words, (ob_span){text, strlen(text)}, (ob_location){0}), 0);
	}
	r = ob_flags_parse("TEST", rules, 2, &words, &made.flags, &made.flag_count, &wrong, &t_err);
	if (ob_json_get_bool(vector, "error"))
		return r == OCIB_ERR_SYNTAX || VECTOR_WRONG(vector, "was not refused");
	if (r != OCIB_OK)
		return VECTOR_WRONG(vector, "%s", ocib_error_message(t_err));

	const char *given = ob_instruction_flag(&made, "str1");
	bool same = !strcmp(given ? given : "HI", ob_json_get_str(vector, "str1")) &&
		    ob_instruction_flag_bool(&made, "bool1", false) ==
			    ob_json_get_bool(vector, "bool1");
	ob_flags_free(made.flags, made.flag_count);
	return same || VECTOR_WRONG(vector, "other values");
}

static bool same_files(const ob_instruction *run, const ob_json *wanted)
{
	if (run->heredoc_count != ob_json_len(wanted))
		return false;
	for (size_t i = 0; i < run->heredoc_count; i++) {
		const ob_json *file = ob_json_at(wanted, i);

		if (strcmp(run->heredocs[i].name, ob_json_get_str(file, "name")) != 0 ||
		    strcmp(run->heredocs[i].raw, ob_json_get_str(file, "data")) != 0 ||
		    run->heredocs[i].chomp != ob_json_get_bool(file, "chomp"))
			return false;
	}
	return true;
}

static bool check_run(const ob_json *vector)
{
	const ob_json *command = ob_json_get(vector, "command");
	ob_auto(ob_dockerfile) file = NULL;

	ASSERT_OK(ob_instruction_parse_trigger(ob_json_get_str(vector, "instruction"), &file,
					       &t_err));
	const ob_instruction *run = &file->instructions[0];
	if (run->json_form == ob_json_get_bool(vector, "shell") ||
	    run->words.len != ob_json_len(command))
		return VECTOR_WRONG(vector, "is another form");
	for (size_t i = 0; i < run->words.len; i++)
		if (strcmp(run->words.items[i].text, ob_json_str(ob_json_at(command, i))) != 0)
			return VECTOR_WRONG(vector, "'%s'", run->words.items[i].text);
	return same_files(run, ob_json_get(vector, "files")) || VECTOR_WRONG(vector, "other files");
}

TEST(vectors__wrong_instructions_are_refused)
{
	run_vectors("instruction-errors", check_error);
}

TEST(vectors__flags_have_values)
{
	run_vectors("instruction-flags", check_flags);
}

TEST(vectors__run_has_three_forms)
{
	run_vectors("run-forms", check_run);
}
