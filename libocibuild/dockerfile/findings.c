/* dockerfile/findings.c — see findings.h.
 *
 * Comments are only read when there is something to find: a Dockerfile without a finding pays nothing.
 */
#include "dockerfile/findings.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "dockerfile/directives.h"

void ob_findings_done(ob_findings *findings)
{
	ob_check_options_done(&findings->options);
	for (size_t i = 0; i < findings->len; i++)
		free(findings->items[i].message);
	free(findings->items);
	*findings = (ob_findings){0};
}

ocib_errc ob_findings_set_options(ob_findings *findings, const char *text, ocib_error **err)
{
	findings->given = true;
	return ob_check_options_parse(text, &findings->options, err);
}

ocib_errc ob_findings_read_options(ob_findings *findings, const ob_source_text *source,
				   ocib_error **err)
{
	ob_autofree char *text = NULL;
	unsigned line = 0;
	ocib_errc r;

	if (!findings || findings->given)
		return OCIB_OK;
	r = ob_directive_find(source->data, source->len, "check", &text, &line, err);
	if (r != OCIB_OK || !text)
		return r;
	text[strcspn(text, " ")] = '\0';
	r = ob_check_options_parse(text, &findings->options, err);
	const ob_location at = {.line = line, .end_line = line};
	return ob_source_locate(source, &at, r, err);
}

/* The first "check=" in the comments above; one that cannot be read says nothing. */
static void read_comments(char *const *comments, ob_check_options *out)
{
	for (; comments && *comments; comments++) {
		ob_directive_scan scan = {0};
		ob_directive found;
		ob_span value;

		if (ob_directive_scan_line(&scan, "", (ob_span){*comments, strlen(*comments)},
					   &found, &value, NULL) != OCIB_OK ||
		    found != OB_DIRECTIVE_CHECK)
			continue;
		ob_autofree char *text = ob_span_copy(value);
		if (!text)
			return;
		text[strcspn(text, " ")] = '\0';
		if (ob_check_options_parse(text, out, NULL) == OCIB_OK)
			return;
		ob_check_options_done(out);
		*out = (ob_check_options){0};
		return;
	}
}

static bool counts(const ob_findings *findings, ob_rule rule, const ob_instruction *near)
{
	ob_autodone(ob_check_options) inlined = {0};

	read_comments(near ? near->comments : NULL, &inlined);
	return ob_check_options_allow(&findings->options, &inlined, rule);
}

static ob_finding *new_finding(ob_findings *findings)
{
	size_t count = findings->len;

	if ((count & (count - 1)) == 0) {
		ob_finding *grown =
			reallocarray(findings->items, count ? count * 2 : 1, sizeof(*grown));

		if (!grown)
			return NULL;
		findings->items = grown;
	}
	return &findings->items[count];
}

/* Words of the file are in it, and may have been cut. */
static void make_printable(char *text)
{
	size_t left = strlen(text);

	while (left) {
		size_t step = ob_utf8_step(text, left);

		if (!step || (unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
		step = step ? step : 1;
		text += step;
		left -= step;
	}
}

void ob_findings_add(ob_findings *findings, ob_rule rule, const ob_instruction *near,
		     const ob_location *at, const char *format, ...)
{
	va_list args;
	char *message = NULL;
	int len;

	if (!findings || !counts(findings, rule, near))
		return;
	if (findings->len == OB_LIMIT_FINDINGS) {
		findings->dropped++;
		return;
	}
	ob_finding *finding = new_finding(findings);
	va_start(args, format);
	len = finding ? vasprintf(&message, format, args) : -1;
	va_end(args);
	if (len < 0) {
		findings->failed = true;
		return;
	}
	make_printable(message);
	*finding = (ob_finding){
		.rule = rule,
		.message = message,
		.at = {.line = at->line, .end_line = at->end_line},
	};
	findings->len++;
}

static int by_line(const void *a, const void *b)
{
	const ob_finding *one = a, *other = b;

	return one->at.line < other->at.line ? -1 : one->at.line > other->at.line;
}

/* Merges keep the order of equals, which qsort() does not promise. */
static void merge_sort(ob_finding *items, size_t len, ob_finding *spare)
{
	size_t half = len / 2, left = 0, right = half;

	if (len < 2)
		return;
	merge_sort(items, half, spare);
	merge_sort(items + half, len - half, spare);
	for (size_t i = 0; i < len; i++)
		spare[i] =
			right == len || (left < half && by_line(&items[left], &items[right]) <= 0)
				? items[left++]
				: items[right++];
	memcpy(items, spare, len * sizeof(*items));
}

void ob_findings_sort(ob_findings *findings)
{
	ob_autofree ob_finding *spare = calloc(findings->len + 1, sizeof(*spare));

	if (spare)
		merge_sort(findings->items, findings->len, spare);
	else
		findings->failed = true;
}

/* The names of what was found, each once. */
static ocib_errc list_rules(const ob_findings *findings, ob_buffer *out, ocib_error **err)
{
	bool seen[OB_RULE_COUNT] = {false};

	for (size_t i = 0; i < findings->len; i++) {
		ob_rule rule = findings->items[i].rule;

		if (!seen[rule])
			ob_buffer_printf(out, "%s%s", out->len ? ", " : "",
					 ob_rule_get(rule)->name);
		seen[rule] = true;
	}
	return ob_buffer_check(out, err);
}

ocib_errc ob_findings_verdict(const ob_findings *findings, const ob_dockerfile *dockerfile,
			      ocib_error **err)
{
	ob_autodone(ob_buffer) names = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE_LINE, "names of rules");
	ocib_errc r;

	if (!findings)
		return OCIB_OK;
	if (findings->failed)
		return ob_fail_nomem(err);
	if (!findings->options.error || !findings->len)
		return OCIB_OK;
	r = list_rules(findings, &names, err);
	if (r != OCIB_OK)
		return r;
	r = ob_fail_at(err, dockerfile, &findings->items[0].at, OCIB_ERR_SYNTAX,
		       "the check has findings, and error=true makes them count: %s", names.data);
	ob_error_set_hint(err, "mend what the warnings say, or put '# check=skip=NAME' above the "
			       "instruction");
	return r;
}
