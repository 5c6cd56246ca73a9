/* What is wrong with a Dockerfile is said in one line, with its place, the nearest name and an excerpt. */
#include <stdlib.h>
#include "base/limits.h"
#include "dockerfile/instruction.h"
#include "harness.h"

static ocib_errc parse(const char *text)
{
	ob_auto(ob_dockerfile) file = NULL;

	return ob_dockerfile_parse("Dockerfile", text, strlen(text), &file, &t_err);
}

typedef struct wrong_file {
	const char *text;
	const char *message;
	unsigned line, column;
} wrong_file;

static const wrong_file wrong_files[] = {
	/* instructions and flags */
	{"FROM a\n\nRUNN x", "Dockerfile:3: unknown instruction 'RUNN' (did you mean 'RUN'?)", 3,
	 1},
	{"FROM a\n  cpoy a b", "unknown instruction 'cpoy' (did you mean 'COPY'?)", 2, 3},
	{"FROM a\nXYZZY", "unknown instruction 'XYZZY'", 2, 1},
	{"FROM a\nCOPY --form=b x y", "unknown flag '--form' for COPY (did you mean '--from'?)", 2,
	 6},
	{"FROM a\nRUN --monut=x y", "unknown flag '--monut' for RUN (did you mean '--mount'?)", 2,
	 5},
	{"FROM a\nWORKDIR --x /y", "unknown flag '--x' for WORKDIR", 2, 9},
	{"FROM a\nCOPY --chown=1 \\\n --chown=2 x y", "duplicate flag '--chown'", 3, 2},
	{"FROM a\nCOPY --chown x y", "missing a value on flag '--chown'", 2, 6},
	{"FROM a\nCOPY --link= x y", "missing a value on flag '--link'", 2, 6},
	{"FROM a\nCOPY --link=1 x y", "expecting a boolean value for flag '--link', not '1'", 2, 6},
	/* how many arguments */
	{"FROM a b", "FROM requires either one or three arguments", 1, 1},
	{"FROM", "FROM requires either one or three arguments", 1, 1},
	{"FROM a to b", "FROM requires either one or three arguments", 1, 8},
	{"FROM a\nCOPY x", "COPY requires at least two arguments", 2, 1},
	{"FROM a\nADD", "ADD requires at least two arguments", 2, 1},
	{"FROM a\nCOPY [\"x\"]", "COPY requires at least two arguments", 2, 1},
	{"FROM a\nENV", "ENV requires at least one argument", 2, 1},
	{"FROM a\nENV X", "ENV must have two arguments", 2, 5},
	{"FROM a\nENV X=1 Y", "can't find '=' in 'Y'", 2, 9},
	{"FROM a\nLABEL =x", "LABEL names can not be blank", 2, 7},
	{"FROM a\nARG =x", "ARG names can not be blank", 2, 5},
	{"FROM a\nARG", "ARG requires at least one argument", 2, 1},
	{"FROM a\nUSER", "USER requires exactly one argument", 2, 1},
	{"FROM a\nVOLUME [\"a\", \" \"]", "VOLUME specified can not be an empty string", 2, 14},
	{"FROM a\nSHELL []", "SHELL requires at least one argument", 2, 1},
	{"FROM a\nSHELL sh -c", "SHELL requires the arguments to be in JSON form", 2, 7},
	{"FROM a\nCMD [\"a\", 1]", "must be of strings only", 2, 11},
	{"FROM a\nCMD [\"a\\u0000\"]", "NUL", 2, 6},
	/* names and places */
	{"FROM a AS 1st", "invalid name for build stage: '1st'", 1, 11},
	{"FROM a AS b/c", "invalid name for build stage: 'b/c'", 1, 11},
	{"RUN x", "no build stage in current context", 1, 1},
	{"ARG A\n# c\n\nCMD x\nFROM a", "no build stage in current context", 4, 1},
	{"ARG A=1\n", "no build stage in current context: there is no FROM", 0, 0},
	{"# only\n\n  # comments\n", "file with no instructions", 0, 0},
	/* HEALTHCHECK */
	{"FROM a\nHEALTHCHECK", "HEALTHCHECK requires at least one argument", 2, 1},
	{"FROM a\nHEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments", 2, 18},
	{"FROM a\nHEALTHCHECK PING x", "unknown type 'PING' in HEALTHCHECK (try CMD)", 2, 13},
	{"FROM a\nHEALTHCHECK CMD", "missing command after HEALTHCHECK CMD", 2, 13},
	{"FROM a\nHEALTHCHECK CMD []", "missing command after HEALTHCHECK CMD", 2, 13},
	{"FROM a\nHEALTHCHECK --timeout=9us CMD x", "--timeout cannot be less than 1ms", 2, 13},
	{"FROM a\nHEALTHCHECK --timeout=9 CMD x", "'9' is no duration", 2, 13},
	{"FROM a\nHEALTHCHECK --retries=-1 CMD x", "--retries cannot be negative", 2, 13},
	/* ONBUILD */
	{"FROM a\nONBUILD", "ONBUILD requires at least one argument", 2, 1},
	{"FROM a\nONBUILD ONBUILD RUN x", "ONBUILD ONBUILD` isn't allowed", 2, 9},
	{"FROM a\nONBUILD FROM x", "FROM isn't allowed as an ONBUILD trigger", 2, 9},
	{"FROM a\nonbuild maintainer x", "MAINTAINER isn't allowed as an ONBUILD trigger", 2, 9},
	{"FROM a\nONBUILD ENV A", "ENV must have two arguments", 2, 13},
	/* RUN's own flags */
	{"FROM a\nRUN --network=hots x", "invalid --network 'hots' (did you mean 'host'?)", 2, 5},
	{"FROM a\nRUN --security=none x", "invalid --security 'none'", 2, 5},
	{"FROM a\nRUN --mount= x", "the value is empty", 2, 5},
	{"FROM a\nRUN --mount=from=$A x", "'from' doesn't support variable expansion", 2, 5},
	{"FROM a\nRUN --device=a,b x", "must be a key=value pair", 2, 5},
	/* heredocs */
	{"FROM a\nRUN cat <<EOF\nx\n", "unterminated heredoc: no line 'EOF' follows", 2, 9},
	{"FROM a\nRUN cat 3<<E", "unterminated heredoc: no line 'E' follows", 2, 9},
	{"FROM a\nCOPY <<A <<B /x\nA\n", "unterminated heredoc: no line 'B' follows", 2, 10},
	{"FROM a\nCOPY a <<EOF\nEOF", "COPY cannot accept a heredoc as a destination", 2, 8},
	{"FROM a\nCOPY <<EOF it's\n", "looks like a heredoc", 2, 6},
	/* directives */
	{"# escape=x\nFROM a", "invalid escape token 'x'", 1, 1},
	{"# escape=`\n#\tESCAPE = `\nFROM a", "only one 'escape' parser directive", 2, 1},
};

TEST(error__has_message_line_and_column)
{
	size_t failed = 0;

	for (size_t i = 0; i < sizeof(wrong_files) / sizeof(wrong_files[0]); i++) {
		const wrong_file *one = &wrong_files[i];
		ocib_errc r = parse(one->text);

		if (r != OCIB_ERR_SYNTAX || !strstr(ocib_error_message(t_err), one->message) ||
		    ocib_error_line(t_err) != one->line ||
		    ocib_error_column(t_err) != one->column) {
			print_error("'%s': %d '%s' at %u:%u\n", one->text, (int)r,
				    ocib_error_message(t_err), ocib_error_line(t_err),
				    ocib_error_column(t_err));
			failed++;
		}
		t_err = ocib_error_free(t_err);
	}
	assert_int_equal(failed, 0);
}

TEST(error__shows_the_line_and_a_caret)
{
	assert_int_equal(parse("FROM a\nWORKDIR /\n\tRUNN  x\nCMD y\n\nUSER z\n"), OCIB_ERR_SYNTAX);
	assert_string_equal(ocib_error_excerpt(t_err), "   1 |     FROM a\n"
						       "   2 |     WORKDIR /\n"
						       "   3 | >>> \tRUNN  x\n"
						       "     |     \t^\n"
						       "   4 |     CMD y\n"
						       "   5 |     \n");
	assert_string_equal(ocib_error_file(t_err), "Dockerfile");
}

TEST(error__marks_all_lines_of_an_instruction)
{
	assert_int_equal(parse("FROM a\nCOPY \\\n# c\n  x\nUSER y"), OCIB_ERR_SYNTAX);
	assert_int_equal(ocib_error_line(t_err), 2);
	assert_int_equal(ocib_error_end_line(t_err), 4);
	assert_string_equal(ocib_error_excerpt(t_err), "   1 |     FROM a\n"
						       "   2 | >>> COPY \\\n"
						       "     |     ^\n"
						       "   3 | >>> # c\n"
						       "   4 | >>>   x\n"
						       "   5 |     USER y\n");
}

TEST(error__excerpt_is_safe_for_a_terminal)
{
	assert_int_equal(parse("FROM a\n\033[2J\xff\xc2\x9b m\xc3\xa9 \177\n"), OCIB_ERR_SYNTAX);
	for (const char *c = ocib_error_excerpt(t_err); *c; c++)
		assert_true(*c == '\n' || (*c & 0x80) || (*c >= ' ' && *c != 0x7f));
	assert_non_null(strstr(ocib_error_excerpt(t_err), ">>> ?[2J?? m\xc3\xa9 ?\n"));
	assert_null(strchr(ocib_error_message(t_err), '\033'));
}

TEST(error__long_lines_are_cut_around_the_column)
{
	char text[3000] = "FROM a\nENV ";

	for (int i = 0; i < 300; i++)
		strcat(text, "A=12345 ");
	strcat(text, "oops ");
	for (int i = 0; i < 30; i++)
		strcat(text, "A=12345 ");
	assert_int_equal(parse(text), OCIB_ERR_SYNTAX);
	assert_int_equal(ocib_error_column(t_err), 4 + 2400 + 1);
	assert_non_null(strstr(ocib_error_excerpt(t_err), "oops"));
	assert_true(strlen(ocib_error_excerpt(t_err)) < 400);

	/* The caret is below the word. */
	const char *line = strstr(ocib_error_excerpt(t_err), "   2 |");
	const char *caret = strchr(line, '\n') + 1;
	assert_int_equal(strchr(caret, '^') - caret, strstr(line, "oops") - line);
}

TEST(error__a_second_location_is_not_added)
{
	ob_auto(ob_dockerfile) file = NULL;
	ob_location at = {1, 1, 3}, other = {2, 2, 1};

	ASSERT_OK(ob_dockerfile_parse("D", "FROM a\nRUN b", 12, &file, &t_err));
	assert_int_equal(ob_fail_at(&t_err, file, &at, OCIB_ERR_NOTFOUND, "no '%s'", "a"),
			 OCIB_ERR_NOTFOUND);
	assert_int_equal(ob_source_locate(&file->source, &other, OCIB_ERR_NOTFOUND, &t_err),
			 OCIB_ERR_NOTFOUND);
	assert_string_equal(ocib_error_message(t_err), "D:1: no 'a'");
	assert_int_equal(ocib_error_line(t_err), 1);
}

TEST(error__empty_file)
{
	ASSERT_ERROR(parse(""), OCIB_ERR_SYNTAX, "'Dockerfile' is empty");
	ASSERT_ERROR(parse("\xef\xbb\xbf"), OCIB_ERR_SYNTAX, "'Dockerfile' is empty");
}

TEST(error__binary_file)
{
	static const char elf[] = "\177ELF\2\1\1\0\0\0", utf16[] = "\xff\xfe"
								   "F\0R\0O\0M\0";
	ob_auto(ob_dockerfile) file = NULL;

	ASSERT_ERROR(ob_dockerfile_parse("a.out", elf, sizeof(elf), &file, &t_err), OCIB_ERR_SYNTAX,
		     "'a.out' does not look like a Dockerfile");
	assert_int_equal(ob_dockerfile_parse("D", utf16, sizeof(utf16), &file, &t_err),
			 OCIB_ERR_SYNTAX);
	assert_non_null(strstr(ocib_error_hint(t_err), "UTF-8"));
	assert_null(file);
}

TEST(error__huge_file)
{
	ob_auto(ob_dockerfile) file = NULL;
	size_t len = OB_LIMIT_DOCKERFILE + 1;
	ob_autofree char *data = malloc(len);

	assert_non_null(data);
	memset(data, '\n', len);
	ASSERT_ERROR(ob_dockerfile_parse("D", data, len, &file, &t_err), OCIB_ERR_LIMIT,
		     "OB_LIMIT_DOCKERFILE");
}

/* A comment of len bytes in line 2, and a good instruction behind it. */
static ocib_errc parse_long_line(size_t len)
{
	ob_autofree char *text = malloc(len + 32);
	size_t at;

	assert_non_null(text);
	at = (size_t)sprintf(text, "FROM a\n#");
	memset(text + at, 'x', len - 1);
	strcpy(text + at + len - 1, "\nRUN b");
	return parse(text);
}

TEST(error__long_line)
{
	ASSERT_OK(parse_long_line(65535));
	assert_int_equal(parse_long_line(65536), OCIB_ERR_LIMIT);
	assert_int_equal(ocib_error_line(t_err), 2);
	assert_non_null(strstr(ocib_error_message(t_err), "65535"));
}

TEST(error__the_first_one_in_the_file_is_reported)
{
	ASSERT_ERROR(parse("FROM a\nRUNN <<EOF\nCMD [1]\n"), OCIB_ERR_SYNTAX, "Dockerfile:2:");
	ASSERT_ERROR(parse("FROM a\nCMD [1]\nRUNN x"), OCIB_ERR_SYNTAX, "Dockerfile:2:");
}
