/* ocibuild/error.h — what went wrong: a kind to branch on, a message to show.
 *
 * Every function that can fail returns an ocib_errc and, where the caller passed the address of an
 * error pointer that holds NULL, leaves the detail there. The detail is one line of text plus the few
 * facts a program may want: a Dockerfile location, errno, an HTTP status, an exit status.
 *
 * Thread rule: an error belongs to one thread at a time and may be handed to another.
 */
#ifndef OCIBUILD_ERROR_H
#define OCIBUILD_ERROR_H

#include <ocibuild/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The kinds of failure. Zero is success, everything else is negative. */
typedef enum ocib_errc {
	OCIB_OK = 0,
	OCIB_ERR_NOMEM = -1,  /**< no memory; the error object is static, failing never allocates */
	OCIB_ERR_SYSTEM = -2, /**< a system call failed; see ocib_error_errno() */
	OCIB_ERR_INVALID = -3,  /**< the caller passed something this function does not take */
	OCIB_ERR_SYNTAX = -4,   /**< a Dockerfile or ignore file is wrong; has a location */
	OCIB_ERR_NOTFOUND = -5, /**< something named does not exist */
	OCIB_ERR_EXISTS = -6,   /**< something is already there and may not be replaced */
	OCIB_ERR_CORRUPT = -7,  /**< bytes are not what their digest or their format says */
	OCIB_ERR_LIMIT = -8,    /**< a named limit was exceeded */
	OCIB_ERR_UNSUPPORTED =
		-9,            /**< known, and not done by this version; has a location if it can */
	OCIB_ERR_DENIED = -10, /**< this machine or this policy does not allow it; has a hint */
	OCIB_ERR_NETWORK = -11,  /**< a host could not be reached */
	OCIB_ERR_PROTOCOL = -12, /**< a server refused; see ocib_error_http_status() */
	OCIB_ERR_COMMAND = -13,  /**< a RUN failed; see ocib_error_exit_status() */
	OCIB_ERR_CANCELED = -14  /**< the caller asked to stop */
} ocib_errc;

/** One failure. Opaque; free with ocib_error_free(). */
typedef struct ocib_error ocib_error;

/** The kind, the same value the failing function returned. OCIB_OK for NULL. */
OCIB_API ocib_errc ocib_error_code(const ocib_error *err);
/** One line: what was tried, with what, and why it failed. Borrowed; never NULL. */
OCIB_API const char *ocib_error_message(const ocib_error *err);
/** What to do about it, one or more lines, or NULL. Borrowed. */
OCIB_API const char *ocib_error_hint(const ocib_error *err);
/** Where in the Dockerfile: its name, or NULL when the error has no location. Borrowed. */
OCIB_API const char *ocib_error_file(const ocib_error *err);
/** 1-based first line in ocib_error_file(), 0 when unknown. */
OCIB_API unsigned ocib_error_line(const ocib_error *err);
/** 1-based last line of the instruction, 0 when unknown. */
OCIB_API unsigned ocib_error_end_line(const ocib_error *err);
/** 1-based column in bytes, 0 when unknown. */
OCIB_API unsigned ocib_error_column(const ocib_error *err);
/** The source line(s) with a caret, ready to print, or NULL. Borrowed. */
OCIB_API const char *ocib_error_excerpt(const ocib_error *err);
/** errno of an OCIB_ERR_SYSTEM, else 0. */
OCIB_API int ocib_error_errno(const ocib_error *err);
/** HTTP status of an OCIB_ERR_PROTOCOL, else 0. */
OCIB_API int ocib_error_http_status(const ocib_error *err);
/** Exit status of an OCIB_ERR_COMMAND (128 + signal number for a signal), else 0. */
OCIB_API int ocib_error_exit_status(const ocib_error *err);
/** Source positions of origin and wraps, one a line, for --debug. Borrowed; never NULL. */
OCIB_API const char *ocib_error_trace(const ocib_error *err);
/** Free an error. NULL is fine. @return NULL. */
OCIB_API ocib_error *ocib_error_free(ocib_error *err);

#ifdef __cplusplus
}
#endif
#endif
