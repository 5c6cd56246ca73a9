/* base/error.h — how the library makes, enriches and forwards an ocib_error.
 *
 * Functions return the kind and pass the detail up through `ocib_error **err` (last argument, may be
 * NULL, holds NULL on entry, never touched on success). The header of a function lists the kinds its
 * caller may branch on; every other kind is only forwarded. An inner error is never rewritten: module
 * borders add context in front with ob_wrap().
 */
#ifndef OB_BASE_ERROR_H
#define OB_BASE_ERROR_H

#include <errno.h>
#include <ocibuild/error.h>
#include "base/cleanup.h"

#define ob_printf(f, a) __attribute__((format(printf, f, a)))

OB_DEFINE_AUTO(ocib_error);

/** Make an error; returns @p code. Prefer the macros below. */
ocib_errc ob_error_set(ocib_error **err, ocib_errc code, const char *file, int line,
		       const char *format, ...) ob_printf(5, 6);
/** Make an OCIB_ERR_SYSTEM (NOMEM for ENOMEM) of @p error_number; ": strerror" is appended. */
ocib_errc ob_error_set_errno(ocib_error **err, int error_number, const char *file, int line,
			     const char *format, ...) ob_printf(5, 6);
/** Put "text: " in front of *err's message (if there is one); returns @p code. */
ocib_errc ob_error_wrap(ocib_error **err, ocib_errc code, const char *file, int line,
			const char *format, ...) ob_printf(5, 6);

#define ob_fail(err, code, ...) ob_error_set((err), (code), __FILE__, __LINE__, __VA_ARGS__)
#define ob_fail_errno(err, ...) ob_error_set_errno((err), errno, __FILE__, __LINE__, __VA_ARGS__)
/* Its value is a constant, so that a compiler that follows values past a call sees it cannot be OCIB_OK. */
#define ob_fail_nomem(err)                                                               \
	((void)ob_error_set((err), OCIB_ERR_NOMEM, __FILE__, __LINE__, "out of memory"), \
	 OCIB_ERR_NOMEM)
#define ob_wrap(err, code, ...) ob_error_wrap((err), (code), __FILE__, __LINE__, __VA_ARGS__)

/** Enrich an error that was just made. All accept NULL or an empty error pointer and then do nothing. */
void ob_error_set_hint(ocib_error **err, const char *format, ...) ob_printf(2, 3);
void ob_error_set_location(ocib_error **err, const char *file, unsigned line, unsigned end_line,
			   unsigned column, const char *excerpt);
void ob_error_set_http_status(ocib_error **err, int status);
void ob_error_set_exit_status(ocib_error **err, int status);

/** Move *from (made elsewhere, e.g. on another thread) into err; frees it where err is NULL. */
ocib_errc ob_error_move(ocib_error **err, ocib_error **from);

#endif
