/* cli/release/release_ci.c — see release_ci.h. All of it goes to standard error, between the lines it is about.
 *
 * GitHub takes lines of a log for commands, also the lines of a RUN, whose author need not be the
 * workflow's. So inside a group commands are stopped, until a word comes that nobody can guess.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "release_ci.h"

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && strcmp(value, "true") == 0;
}

static bool is_github(void)
{
	return is_set("GITHUB_ACTIONS") || is_set("GITEA_ACTIONS") || is_set("FORGEJO_ACTIONS");
}

/* The word that lets commands pass again; "": they pass. */
static char stopped[33];

static void stop_commands(void)
{
	unsigned char random[(sizeof(stopped) - 1) / 2];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return;
	for (size_t i = 0; i < sizeof(random); i++)
		(void)snprintf(stopped + 2 * i, 3, "%02x", random[i]);
	fprintf(stderr, "::stop-commands::%s\n", stopped);
}

/* @return were they stopped? */
static bool let_commands_pass(void)
{
	if (!*stopped)
		return false;
	fprintf(stderr, "::%s::\n", stopped);
	*stopped = '\0';
	return true;
}

void ci_group_begin(const char *id, const char *title)
{
	if (is_github()) {
		fprintf(stderr, "::group::%s\n", title);
		stop_commands();
	}
	if (!is_github() && is_set("GITLAB_CI"))
		fprintf(stderr, "\033[0Ksection_start:%lld:%s\r\033[0K%s\n", (long long)time(NULL),
			id, title);
}

void ci_group_end(const char *id)
{
	(void)let_commands_pass();
	if (is_github())
		fputs("::endgroup::\n", stderr);
	else if (is_set("GITLAB_CI"))
		fprintf(stderr, "\033[0Ksection_end:%lld:%s\r\033[0K\n", (long long)time(NULL), id);
}

/* A workflow command ends at a newline; in properties ':' and ',' mean something too. */
static void print_escaped(const char *text, bool is_property)
{
	for (; *text; text++) {
		bool special = strchr("%\r\n", *text) || (is_property && strchr(":,", *text));

		if (special)
			fprintf(stderr, "%%%02X", (unsigned)(unsigned char)*text);
		else
			fputc(*text, stderr);
	}
}

/* Annotations want paths from the top of the checkout; we may work in a directory below it. */
static void print_directory(void)
{
	const char *top = getenv("GITHUB_WORKSPACE");
	char here[4096];

	if (!top || !getcwd(here, sizeof(here)))
		return;
	size_t len = strlen(top);
	while (len && top[len - 1] == '/')
		len--;
	if (strncmp(here, top, len) == 0 && here[len] == '/') {
		print_escaped(here + len + 1, true);
		fputc('/', stderr);
	}
}

static void print_place(const char *file, unsigned line)
{
	fputs(" file=", stderr);
	if (*file != '/')
		print_directory();
	print_escaped(file, true);
	if (line)
		fprintf(stderr, ",line=%u", line);
}

void ci_annotate_text(const char *file, unsigned line, const char *text)
{
	if (!is_github())
		return;
	bool were_stopped = let_commands_pass();
	fputs("::error", stderr);
	if (file)
		print_place(file, line);
	fputs("::", stderr);
	print_escaped(text, false);
	fputc('\n', stderr);
	if (were_stopped)
		stop_commands();
}

void ci_annotate(const ocib_error *err)
{
	if (ocib_error_code(err) != OCIB_ERR_CANCELED)
		ci_annotate_text(ocib_error_file(err), ocib_error_line(err),
				 ocib_error_message(err));
}
