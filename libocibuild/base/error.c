/* base/error.c — the ocib_error object: made where something fails, enriched on its way up.
 *
 * An error is text plus the few facts a program may branch on. Failing for lack of memory must not
 * need memory, so NOMEM is one static, immutable object: every function here leaves it alone. An
 * enrichment that cannot be allocated is dropped; the error itself is never lost.
 *
 * Messages are one line: control characters, which may come from file names or servers, are replaced.
 */
#include "base/error.h"
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct ocib_error {
	ocib_errc code;
	int error_number;
	int http_status;
	int exit_status;
	unsigned line;
	unsigned end_line;
	unsigned column;
	char *message;
	char *hint;
	char *file;
	char *excerpt;
	char *trace;
};

static const struct ocib_error no_memory = {.code = OCIB_ERR_NOMEM};

/* The static object as the type that callers hold; nothing ever writes through it. */
static ocib_error *no_memory_error(void)
{
	union {
		const struct ocib_error *fixed;
		ocib_error *held;
	} u = {.fixed = &no_memory};

	return u.held;
}

/* May this error be enriched? Not when nobody listens, and not the static one. */
static bool is_open(ocib_error **err)
{
	return err && *err && *err != &no_memory;
}

static const char *short_file(const char *file)
{
	const char *found = NULL;

	for (const char *p = file; (p = strstr(p, "libocibuild/")); p++)
		found = p;
	return found ? found + strlen("libocibuild/") : file;
}

static void make_one_line(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p; p++)
		if (*p < 0x20 || *p == 0x7f)
			*p = *p == '\n' || *p == '\t' ? ' ' : '?';
}

static ob_printf(1, 0) char *format_text(const char *format, va_list args)
{
	char *text = NULL;

	if (vasprintf(&text, format, args) < 0)
		return NULL;
	return text;
}

static void add_trace(ocib_error *e, const char *file, int line)
{
	char *grown = NULL;

	if (asprintf(&grown, "%s%s:%d\n", e->trace ? e->trace : "", short_file(file), line) < 0)
		return;
	free(e->trace);
	e->trace = grown;
}

/* Takes message; NULL means it could not be allocated. */
static ocib_errc install(ocib_error **err, ocib_errc code, int error_number, char *message,
			 const char *file, int line)
{
	ob_autofree char *text = message;
	ocib_error *e = text ? calloc(1, sizeof(*e)) : NULL;

	*err = ocib_error_free(*err);
	if (!e) {
		*err = no_memory_error();
		return code;
	}
	make_one_line(text);
	e->code = code;
	e->error_number = error_number;
	e->message = ob_take_ptr(text);
	add_trace(e, file, line);
	*err = e;
	return code;
}

ocib_errc ob_error_set(ocib_error **err, ocib_errc code, const char *file, int line,
		       const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	if (code == OCIB_ERR_NOMEM) {
		*err = ocib_error_free(*err);
		*err = no_memory_error();
		return code;
	}
	va_start(args, format);
	char *text = format_text(format, args);
	va_end(args);
	return install(err, code, 0, text, file, line);
}

ocib_errc ob_error_set_errno(ocib_error **err, int error_number, const char *file, int line,
			     const char *format, ...)
{
	ob_autofree char *what = NULL;
	char *text = NULL;
	va_list args;

	if (error_number == ENOMEM)
		return ob_error_set(err, OCIB_ERR_NOMEM, file, line, "out of memory");
	if (!err)
		return OCIB_ERR_SYSTEM;
	va_start(args, format);
	what = format_text(format, args);
	va_end(args);
	if (what && asprintf(&text, "%s: %s", what, strerror(error_number)) < 0)
		text = NULL;
	return install(err, OCIB_ERR_SYSTEM, error_number, text, file, line);
}

ocib_errc ob_error_wrap(ocib_error **err, ocib_errc code, const char *file, int line,
			const char *format, ...)
{
	ob_autofree char *prefix = NULL;
	char *text = NULL;
	va_list args;

	if (code == OCIB_OK || !is_open(err))
		return code;
	va_start(args, format);
	prefix = format_text(format, args);
	va_end(args);
	if (prefix && asprintf(&text, "%s: %s", prefix, (*err)->message) >= 0) {
		make_one_line(text);
		free((*err)->message);
		(*err)->message = text;
	}
	add_trace(*err, file, line);
	return code;
}

void ob_error_set_hint(ocib_error **err, const char *format, ...)
{
	va_list args;

	if (!is_open(err))
		return;
	va_start(args, format);
	char *text = format_text(format, args);
	va_end(args);
	if (!text)
		return;
	free((*err)->hint);
	(*err)->hint = text;
}

static void replace_text(char **field, const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	free(*field);
	*field = copy;
}

void ob_error_set_location(ocib_error **err, const char *file, unsigned line, unsigned end_line,
			   unsigned column, const char *excerpt)
{
	if (!is_open(err))
		return;
	replace_text(&(*err)->file, file);
	replace_text(&(*err)->excerpt, excerpt);
	(*err)->line = line;
	(*err)->end_line = end_line;
	(*err)->column = column;
}

void ob_error_set_http_status(ocib_error **err, int status)
{
	if (is_open(err))
		(*err)->http_status = status;
}

void ob_error_set_exit_status(ocib_error **err, int status)
{
	if (is_open(err))
		(*err)->exit_status = status;
}

ocib_errc ob_error_move(ocib_error **err, ocib_error **from)
{
	ocib_error *moved = ob_take_ptr(*from);
	ocib_errc code = ocib_error_code(moved);

	if (!err) {
		ocib_error_free(moved);
		return code;
	}
	ocib_error_free(*err);
	*err = moved;
	return code;
}

ocib_errc ocib_error_code(const ocib_error *err)
{
	return err ? err->code : OCIB_OK;
}

const char *ocib_error_message(const ocib_error *err)
{
	if (!err)
		return "no error";
	return err->message ? err->message : "out of memory";
}

const char *ocib_error_hint(const ocib_error *err)
{
	return err ? err->hint : NULL;
}

const char *ocib_error_file(const ocib_error *err)
{
	return err ? err->file : NULL;
}

unsigned ocib_error_line(const ocib_error *err)
{
	return err ? err->line : 0;
}

unsigned ocib_error_end_line(const ocib_error *err)
{
	return err ? err->end_line : 0;
}

unsigned ocib_error_column(const ocib_error *err)
{
	return err ? err->column : 0;
}

const char *ocib_error_excerpt(const ocib_error *err)
{
	return err ? err->excerpt : NULL;
}

int ocib_error_errno(const ocib_error *err)
{
	return err ? err->error_number : 0;
}

int ocib_error_http_status(const ocib_error *err)
{
	return err ? err->http_status : 0;
}

int ocib_error_exit_status(const ocib_error *err)
{
	return err ? err->exit_status : 0;
}

const char *ocib_error_trace(const ocib_error *err)
{
	return err && err->trace ? err->trace : "";
}

ocib_error *ocib_error_free(ocib_error *err)
{
	if (!err || err == &no_memory)
		return NULL;
	free(err->message);
	free(err->hint);
	free(err->file);
	free(err->excerpt);
	free(err->trace);
	free(err);
	return NULL;
}
