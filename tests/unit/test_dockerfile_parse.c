/* A good Dockerfile as typed instructions: words and their places, heredocs, pairs, stages. */
#include "dockerfile/instruction.h"
#include "harness.h"

static ob_dockerfile *parsed;

/* The i-th instruction of text; the Dockerfile lives until the next call or drop(). */
static const ob_instruction *parse(const char *text, size_t i)
{
	parsed = ob_dockerfile_free(parsed);
	ASSERT_OK(ob_dockerfile_parse("Dockerfile", text, strlen(text), &parsed, &t_err));
	assert_true(i < parsed->len);
	return &parsed->instructions[i];
}

static void drop(void)
{
	parsed = ob_dockerfile_free(parsed);
}

static void assert_place(const ob_location *at, unsigned line, unsigned column)
{
	if (at->line != line || at->column != column)
		fail_msg("at %u:%u, not at %u:%u", at->line, at->column, line, column);
}

static void assert_word(const ob_instruction *i, size_t n, const char *text, unsigned line,
			unsigned column)
{
	assert_true(n < i->words.len);
	assert_string_equal(i->words.items[n].text, text);
	assert_place(&i->words.items[n].at, line, column);
}

TEST(words__know_line_and_column)
{
	const ob_instruction *copy =
		parse("\xef\xbb\xbf# x\r\nFROM a\r\n\tCOPY --from=b \\\r\n\r\n# no\r\n  one two\\\n"
		      "  \\\nthree /d/",
		      1);

	assert_place(&copy->at, 3, 2);
	assert_int_equal(copy->at.end_line, 8);
	assert_place(&copy->flags[0].at, 3, 7);
	assert_int_equal(copy->words.len, 4);
	assert_word(copy, 0, "one", 6, 3);
	assert_word(copy, 1, "two", 6, 7);
	assert_word(copy, 2, "three", 8, 1);
	assert_word(copy, 3, "/d/", 8, 7);
	assert_string_equal(copy->original, "COPY --from=b   one two  three /d/");
	assert_string_equal(copy->name, "copy");
	assert_int_equal(parsed->empty_line_count, 1);
	assert_int_equal(parsed->empty_lines[0], 4);
	drop();
}

TEST(words__of_json_are_unescaped_and_know_their_place)
{
	const ob_instruction *cmd =
		parse("FROM a\nCMD [ \"a b\",\\\n \"\\u00e9\\n\\ud83d\\ude00\\ud800\", \"\"]", 1);

	assert_true(cmd->json_form);
	assert_int_equal(cmd->words.len, 3);
	assert_word(cmd, 0, "a b", 2, 7);
	assert_word(cmd, 1, "\xc3\xa9\n\xf0\x9f\x98\x80\xef\xbf\xbd", 3, 2);
	assert_word(cmd, 2, "", 3, 32);
	drop();
}

TEST(words__almost_json_is_a_shell_line)
{
	static const char *const lines[] = {"[ -f x ] && y", "['a']",      "[\"a\",]",
					    "[\"a\"] b",     "[\"a\\q\"]", "[\"\t\"]"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[64];

		snprintf(text, sizeof(text), "FROM a\nRUN %s", lines[i]);
		const ob_instruction *run = parse(text, 1);
		assert_false(run->json_form);
		assert_word(run, 0, lines[i], 2, 5);
	}
	drop();
}

TEST(words__no_command_is_an_empty_shell_line_and_an_empty_array_is_none)
{
	const ob_instruction *cmd = parse("FROM a\nCMD\nCMD []\n", 1);

	assert_word(cmd, 0, "", 2, 1);
	assert_false(cmd->json_form);
	assert_int_equal(cmd[1].words.len, 0);
	assert_true(cmd[1].json_form);
	drop();
}

TEST(escape__may_be_a_backtick)
{
	const ob_instruction *run =
		parse("# escape=`\nFROM a\nRUN c:\\\nCOPY a` b `\n c\nENV A=x` y B=\"`\"\"", 1);

	assert_word(run, 0, "c:\\", 3, 5);
	assert_int_equal(run[1].words.len, 3);
	assert_string_equal(run[2].pairs[0].value, "x` y");
	assert_string_equal(run[2].pairs[1].value, "\"`\"\"");
	assert_int_equal(parsed->escape, '`');
	drop();
}

TEST(escape__two_at_the_end_of_a_line_do_not_continue_it)
{
	const ob_instruction *env = parse("FROM a\nRUN a\\\\\nRUN b\\\\\\\nRUN c \\ \t\n d\n", 1);

	assert_int_equal(parsed->len, 4);
	assert_word(env, 0, "a\\\\", 2, 5);
	assert_word(&env[1], 0, "b\\\\\\", 3, 5);
	assert_word(&env[2], 0, "c  d", 4, 5);
	drop();
}

TEST(pairs__of_env_and_label)
{
	const ob_instruction *env = parse(
		"FROM a\nENV A=1 \"B C\"='2 3' D=\nENV  KEY  the rest = $x \nLABEL a.b=c\\ d", 1);

	assert_int_equal(env->pair_count, 3);
	assert_string_equal(env->pairs[1].key, "\"B C\"");
	assert_string_equal(env->pairs[1].value, "'2 3'");
	assert_place(&env->pairs[1].at, 2, 9);
	assert_string_equal(env->pairs[2].value, "");
	assert_false(env->pairs[0].no_delim);
	assert_true(env[1].pairs[0].no_delim);
	assert_string_equal(env[1].pairs[0].key, "KEY");
	assert_string_equal(env[1].pairs[0].value, "the rest = $x");
	assert_string_equal(env[2].pairs[0].value, "c\\ d");
	drop();
}

TEST(pairs__of_arg_may_have_no_value)
{
	const ob_instruction *arg = parse("ARG A B= C=\"x y\"=z\nFROM a", 0);

	assert_int_equal(arg->pair_count, 3);
	assert_null(arg->pairs[0].value);
	assert_string_equal(arg->pairs[1].value, "");
	assert_string_equal(arg->pairs[2].value, "\"x y\"=z");
	assert_int_equal(parsed->global_count, 1);
	drop();
}

TEST(stages__are_the_froms_and_what_follows)
{
	parse("ARG V\nFROM --platform=$P a:$V AS Base\nRUN x\nRUN y\nfrom Base as two\nFROM scratch\nUSER z",
	      0);
	assert_int_equal(parsed->stage_count, 3);
	assert_string_equal(parsed->stages[0].from->from, "a:$V");
	assert_string_equal(parsed->stages[0].from->as, "base");
	assert_string_equal(parsed->stages[0].from->as_original, "Base");
	assert_string_equal(ob_instruction_flag(parsed->stages[0].from, "platform"), "$P");
	assert_int_equal(parsed->stages[0].len, 2);
	assert_int_equal(parsed->stages[1].len, 0);
	assert_int_equal(parsed->stages[2].instructions[0].type, OB_INSTRUCTION_USER);
	drop();
}

TEST(flags__lose_quotes_and_end_at_two_dashes)
{
	const ob_instruction *copy = parse(
		"FROM a\nCOPY --exclude=\"a b\" --exclude='c'\\ d --link -- --from=x /y\n", 1);

	assert_int_equal(copy->flag_count, 3);
	assert_string_equal(copy->flags[0].value, "a b");
	assert_string_equal(copy->flags[1].value, "c d");
	assert_false(copy->flags[2].has_value);
	assert_true(ob_instruction_flag_bool(copy, "link", false));
	assert_true(ob_instruction_flag_bool(copy, "parents", true));
	assert_string_equal(ob_instruction_flag(copy, "exclude"), "c d");
	assert_null(ob_instruction_flag(copy, "from"));
	assert_word(copy, 0, "--from=x", 2, 49);
	drop();
}

TEST(flags__without_effect_are_warned_about)
{
	parse("FROM a\nARG --x A\nSTOPSIGNAL --y 9\nHEALTHCHECK --interval=1s NONE", 0);
	assert_int_equal(parsed->warnings.len, 3);
	assert_string_equal(parsed->warnings.items[0], "2: '--x' has no effect here");
	assert_true(parsed->instructions[3].healthcheck_none);
	drop();
}

TEST(heredoc__of_copy_stands_where_its_word_is)
{
	const ob_instruction *copy =
		parse("FROM a\nCOPY <<A x <<-'B' /d/\n$one\nA\n\t\ttwo\n\t B\n\tB\n"
		      "USER u",
		      1);

	assert_int_equal(copy->heredoc_count, 2);
	assert_ptr_equal(copy->words.items[0].heredoc, &copy->heredocs[0]);
	assert_null(copy->words.items[1].heredoc);
	assert_ptr_equal(copy->words.items[2].heredoc, &copy->heredocs[1]);
	assert_string_equal(copy->heredocs[0].content, "$one\n");
	assert_true(copy->heredocs[0].expand);
	assert_string_equal(copy->heredocs[1].name, "B");
	assert_string_equal(copy->heredocs[1].content, "two\n B\n");
	assert_string_equal(copy->heredocs[1].raw, "\t\ttwo\n\t B\n");
	assert_int_equal(copy->heredocs[1].len, 7);
	assert_true(copy->heredocs[1].chomp);
	assert_false(copy->heredocs[1].expand);
	assert_place(&copy->heredocs[1].at, 5, 1);
	assert_int_equal(copy->heredocs[1].at.end_line, 6);
	assert_int_equal(copy->at.end_line, 7);
	assert_int_equal(copy[1].at.line, 8);
	drop();
}

TEST(heredoc__body_is_taken_as_it_is)
{
	const ob_instruction *run =
		parse("FROM a\nRUN <<EOF\r\n# no comment\\\n\n EOF\nEOF \nEOFx\r\nEOF\r\n", 1);

	assert_string_equal(run->heredocs[0].content, "# no comment\\\n\n EOF\nEOF \nEOFx\r\n");
	assert_true(run->heredoc_only);
	drop();
}

TEST(heredoc__that_is_not_the_whole_line_is_left_to_the_shell)
{
	const ob_instruction *run =
		parse("FROM a\nRUN python3 <<EOF\nEOF\nRUN <<A <<B\nA\nB\nRUN 3<< 'X Y'\nX Y", 1);

	assert_false(run->heredoc_only);
	assert_string_equal(run->words.items[0].text, "python3 <<EOF");
	assert_false(run[1].heredoc_only);
	assert_int_equal(run[1].heredoc_count, 2);
	assert_int_equal(run[2].heredocs[0].fd, 3);
	assert_string_equal(run[2].heredocs[0].name, "X Y");
	drop();
}

TEST(heredoc__is_none_in_json_quotes_and_other_instructions)
{
	parse("FROM a\nRUN [\"<<EOF\"]\nRUN echo '<<EOF' \"<<A\" \\<<B\nCMD <<EOF\nENV A=<<EOF\n"
	      "RUN it's <<EOF\nONBUILD CMD <<EOF\nCOPY [\"<<EOF\", \"/x\"]",
	      0);
	for (size_t i = 0; i < parsed->len; i++)
		assert_int_equal(parsed->instructions[i].heredoc_count, 0);
	assert_null(parsed->instructions[7].words.items[0].heredoc);
	drop();
}

TEST(onbuild__keeps_its_text_with_heredocs)
{
	const ob_instruction *onbuild = parse(
		"FROM a\nONBUILD  COPY --chown=1 \\\n <<-A /x\n\tone\n\tA\nONBUILD RUN  true \n",
		1);

	assert_string_equal(onbuild->onbuild, "COPY --chown=1  <<-A /x\n\tone\nA");
	assert_int_equal(onbuild->trigger->type, OB_INSTRUCTION_COPY);
	assert_string_equal(onbuild->trigger->words.items[0].heredoc->content, "one\n");
	assert_string_equal(onbuild[1].onbuild, "RUN  true ");
	drop();
}

TEST(onbuild__trigger_that_cannot_be_built_is_a_warning)
{
	const ob_instruction *onbuild = parse("FROM a\nONBUILD RUNN x\nONBUILD COPY x", 1);

	assert_null(onbuild->trigger);
	assert_string_equal(onbuild->onbuild, "RUNN x");
	assert_int_equal(parsed->warnings.len, 2);
	assert_string_equal(
		parsed->warnings.items[0],
		"2: this trigger cannot be built: unknown instruction 'RUNN' (did you mean 'RUN'?)");
	drop();
}

TEST(onbuild__trigger_of_an_image_is_one_instruction)
{
	ASSERT_OK(ob_instruction_parse_trigger("RUN <<EOF\nx\nEOF", &parsed, &t_err));
	assert_string_equal(parsed->instructions[0].heredocs[0].content, "x\n");
	drop();
	ASSERT_ERROR(ob_instruction_parse_trigger("RUN a\nRUN b", &parsed, &t_err), OCIB_ERR_SYNTAX,
		     "one instruction, and this is 2");
	ASSERT_ERROR(ob_instruction_parse_trigger("RUNN a", &parsed, &t_err), OCIB_ERR_SYNTAX,
		     "ONBUILD trigger:1: unknown instruction");
}

TEST(healthcheck__has_durations_and_a_command)
{
	const ob_instruction *health =
		parse("FROM a\nHEALTHCHECK --interval=1m30.5s --timeout=0 --retries=3 cmd curl x\n"
		      "HEALTHCHECK CMD [\"a\", \"b\"]\nHEALTHCHECK none",
		      1);

	assert_true(health->health.interval == 90500000000);
	assert_true(health->health.timeout == 0);
	assert_int_equal(health->health.retries, 3);
	assert_word(health, 0, "curl x", 2, 60);
	assert_true(health[1].json_form);
	assert_int_equal(health[1].words.len, 2);
	assert_true(health[2].healthcheck_none);
	assert_int_equal(health[2].words.len, 0);
	drop();
}

TEST(expose__is_sorted)
{
	const ob_instruction *expose = parse("FROM a\nEXPOSE 9/udp 80 $P", 1);

	assert_string_equal(expose->words.items[0].text, "$P");
	assert_string_equal(expose->words.items[1].text, "80");
	drop();
}

TEST(comments__directly_above_are_kept)
{
	const ob_instruction *arg =
		parse("# syntax=x\n# gone\n#\n# a is a\n\n# b\n  # c\nARG a\nFROM y", 0);

	assert_string_equal(arg->comments[0], "a is a");
	assert_string_equal(arg->comments[1], "b");
	/* The first column is what counts: this one documents nothing. */
	assert_string_equal(arg->comments[2], "# c");
	assert_null(arg->comments[3]);
	assert_null(arg[1].comments);
	drop();
}

TEST(directives__of_a_file)
{
	parse("#!/usr/bin/env x\n# Syntax = a/b:1 // c\n#check=skip=all;error=true\nFROM a", 0);
	assert_string_equal(parsed->syntax, "a/b:1");
	assert_string_equal(parsed->check, "skip=all;error=true");
	assert_int_equal(parsed->escape, '\\');
	parse("# comment\n# syntax=a\nFROM a", 0);
	assert_null(parsed->syntax);
	drop();
}

/* Grows like its input, and stays within a second even under sanitizers. */
TEST(parse__hostile_files_take_linear_time)
{
	static const struct {
		const char *head, *unit, *tail;
	} shapes[] = {
		{"FROM a\nRUN ", "\\\n", ""},
		{"FROM a\nRUN ", "x\\\n", ""},
		{"FROM a\nRUN ", "x \\\n#\n", ""},
		{"FROM a\nENV ", "A=\"b\\\n", "\""},
		{"FROM a\nENV ", "A=b \\\n", ""},
		{"FROM a\nCOPY ", "<<A \\\n", "/x\n"},
		{"FROM a\nCOPY ", "--exclude=a \\\n", "b c"},
		{"FROM a\nCMD [", "\"a\",\\\n", "1]"},
		{"FROM a\nCMD ", "[\\\n", ""},
		{"FROM a\nONBUILD ", "ONBUILD \\\n", "RUN"},
		{"FROM a\nRUN ", "$x${y:-\\\n", "<<A"},
		{"", "# x\n", "FROM a"},
		{"FROM a\n", "RUN <<A\nA\n", ""},
		{"FROM a\nRUN <<A\n", "B\n", "A"},
		{"FROM a\nRUN <<-A\n", "\t\n", "A"},
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		size_t unit = strlen(shapes[i].unit), head = strlen(shapes[i].head), len = head;
		ob_autofree char *text = malloc(600000);

		assert_non_null(text);
		memcpy(text, shapes[i].head, head);
		for (; len < 500000; len += unit)
			memcpy(text + len, shapes[i].unit, unit);
		memcpy(text + len, shapes[i].tail, strlen(shapes[i].tail));
		len += strlen(shapes[i].tail);
		(void)ob_dockerfile_parse("D", text, len, &parsed, &t_err);
		t_err = ocib_error_free(t_err);
		drop();
	}
}
