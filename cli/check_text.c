/* cli/check_text.c — results for people: findings with their lines, tables of what a stage takes and of
 * stages.
 */
#include <string.h>
#include "build_call.h"

#define RULER "--------------------\n"

static void print_finding(const ocib_finding *finding, const char *file)
{
	printf("\nWARNING: %s", finding->rule->name);
	if (finding->rule->url)
		printf(" - %s", finding->rule->url);
	printf("\n%s\n%s:%u\n" RULER "%s" RULER, finding->message, file, finding->line,
	       finding->excerpt);
}

void check_print_text(const ocib_check *check)
{
	size_t count = ocib_check_count(check), dropped = ocib_check_dropped(check);

	if (count)
		printf("Check complete: %zu finding%s\n", count + dropped,
		       count + dropped == 1 ? "" : "s");
	else if (!ocib_check_failure(check))
		printf("Check complete: no findings\n");
	for (size_t i = 0; i < count; i++)
		print_finding(ocib_check_get(check, i), ocib_check_file(check));
	if (dropped)
		printf("\n%zu findings more are not shown\n", dropped);
}

/* Characters, for columns. */
static size_t width(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

/* A cell of a column that is so wide, the gap included. */
static void print_cell(const char *text, size_t column)
{
	size_t have = width(text);

	printf("%s%*s", text, have < column ? (int)(column - have) : 0, "");
}

static size_t wider(size_t column, const char *text)
{
	size_t have = width(text);

	return have > column ? have : column;
}

#define GAP 3 /* between columns */

static void print_args(const ocib_outline *outline)
{
	size_t count = ocib_outline_count(outline, OCIB_OUTLINE_ARG);
	size_t names = width("BUILD ARG"), values = width("VALUE");

	if (!count)
		return;
	for (size_t i = 0; i < count; i++) {
		const ocib_outline_item *arg = ocib_outline_get(outline, OCIB_OUTLINE_ARG, i);

		names = wider(names, arg->name);
		values = wider(values, arg->value);
	}
	print_cell("BUILD ARG", names + GAP);
	print_cell("VALUE", values + GAP);
	puts("DESCRIPTION");
	for (size_t i = 0; i < count; i++) {
		const ocib_outline_item *arg = ocib_outline_get(outline, OCIB_OUTLINE_ARG, i);

		print_cell(arg->name, names + GAP);
		print_cell(arg->value, values + GAP);
		puts(arg->description);
	}
	putchar('\n');
}

static void print_required(const ocib_outline *outline, ocib_outline_kind kind, const char *title)
{
	size_t count = ocib_outline_count(outline, kind), names = width(title);

	if (!count)
		return;
	for (size_t i = 0; i < count; i++)
		names = wider(names, ocib_outline_get(outline, kind, i)->name);
	print_cell(title, names + GAP);
	puts("REQUIRED");
	for (size_t i = 0; i < count; i++) {
		const ocib_outline_item *item = ocib_outline_get(outline, kind, i);

		print_cell(item->name, names + GAP);
		puts(item->required ? "true" : "");
	}
	putchar('\n');
}

void outline_print_text(const ocib_outline *outline)
{
	const char *name = ocib_outline_name(outline);
	const char *description = ocib_outline_description(outline);

	if (*name && *description)
		printf("TARGET:      %s\nDESCRIPTION: %s\n\n", name, description);
	else if (*name)
		printf("TARGET: %s\n\n", name);
	print_args(outline);
	print_required(outline, OCIB_OUTLINE_SECRET, "SECRET");
	print_required(outline, OCIB_OUTLINE_SSH, "SSH");
}

/* What stands behind the name of the last one, which may have none. */
static const char *mark(const ocib_target *target)
{
	if (!target->is_default)
		return "";
	return *target->name ? " (default)" : "(default)";
}

void targets_print_text(const ocib_targets *targets)
{
	size_t count = ocib_targets_count(targets), names = width("TARGET");

	for (size_t i = 0; i < count; i++) {
		const ocib_target *target = ocib_targets_get(targets, i);
		size_t have = width(target->name) + width(mark(target));

		names = have > names ? have : names;
	}
	print_cell("TARGET", names + 1);
	puts("DESCRIPTION");
	for (size_t i = 0; i < count; i++) {
		const ocib_target *target = ocib_targets_get(targets, i);

		fputs(target->name, stdout);
		print_cell(mark(target), names + 1 - width(target->name));
		puts(target->description);
	}
}
