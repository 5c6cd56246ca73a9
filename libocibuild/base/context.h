/* base/context.h — the inside of an ocib_context: who listens, whether to stop.
 *
 * Events may be emitted from any thread. While a call runs with a pump (ob_context_pump_*), events of
 * other threads are queued and delivered on the caller's thread; without one they are delivered at once
 * on the emitting thread, which then must be the caller's.
 */
#ifndef OB_BASE_CONTEXT_H
#define OB_BASE_CONTEXT_H

#include <stdbool.h>
#include <ocibuild/context.h>
#include "base/error.h"

OB_DEFINE_AUTO(ocib_context);

/** Deliver or queue (deep copy). Never fails visibly: a lost allocation drops a progress event only. */
void ob_emit(ocib_context *ctx, const ocib_event *event);
void ob_emit_note(ocib_context *ctx, const char *format, ...) ob_printf(2, 3);
void ob_emit_warning(ocib_context *ctx, const char *file, unsigned line, const char *format, ...)
	ob_printf(4, 5);
void ob_emit_debug(ocib_context *ctx, const char *format, ...) ob_printf(2, 3);
void ob_emit_progress(ocib_context *ctx, uint32_t step, const char *id, const char *action,
		      uint64_t current, uint64_t total);

bool ob_is_canceled(const ocib_context *ctx); /**< accepts NULL */
/** OCIB_OK or OCIB_ERR_CANCELED with its error. For loops that take time. */
ocib_errc ob_check_canceled(const ocib_context *ctx, ocib_error **err);
/** Readable (poll) from the moment of cancellation on; owned by the context. */
int ob_cancel_fd(const ocib_context *ctx);
/** A number no other step of this context has. */
uint32_t ob_next_step_id(ocib_context *ctx);

uint32_t ob_context_jobs(const ocib_context *ctx);
const char *ob_context_worker_path(const ocib_context *ctx);
const char *ob_context_docker_config_dir(
	const ocib_context *ctx); /**< NULL when there is no home */
bool ob_context_offline(const ocib_context *ctx);
bool ob_context_debug(const ocib_context *ctx);

/** What the caller told about one registry; members that were not told are NULL or false. */
typedef struct ob_registry_access {
	char *host;
	char *username, *password;
	char *ca_cert;
	bool plain_http, skip_tls_verify;
	struct ob_registry_access *next;
} ob_registry_access;
/** Borrowed; NULL: nothing was told about @p host, which is a reference's domain. */
const ob_registry_access *ob_context_registry(const ocib_context *ctx, const char *host);
void ob_registry_access_free_all(ob_registry_access *first); /**< overwrites the secrets */

/**
 * The pump: between begin and end, events of all threads are queued; the caller's thread calls
 * ob_pump_run() until @p done says so, delivering as they come. Nested begins are not allowed.
 */
ocib_errc ob_pump_begin(ocib_context *ctx, ocib_error **err);
void ob_pump_wake(ocib_context *ctx); /**< look at done() again */
void ob_pump_run(ocib_context *ctx, bool (*done)(void *), void *arg);
void ob_pump_end(ocib_context *ctx); /**< delivers what is left */

#endif
