/* engine/doctor.c — ocib_doctor(): what a worker found out about this machine, line by line. */
#include <ocibuild/run.h>
#include "base/strings.h"
#include "engine/pumped_call.h"
#include "engine/worker/worker.h"
#include "store/store.h"

typedef struct doctor_call {
	ocib_context *ctx;
	ob_store *store;
	ob_probe probe;
} doctor_call;

static ocib_errc doctor_thread(void *arg, ocib_error **err)
{
	doctor_call *call = arg;
	ob_autofree char *temp = NULL, *dir = NULL;
	ocib_errc r = ob_store_new_temp_dir(call->store, &temp, err);

	if (r < 0)
		return r;
	dir = ob_str_printf("%s/%s", ob_store_path(call->store), temp);
	if (!dir)
		return ob_fail_nomem(err);
	return ob_worker_probe(call->ctx, dir, &call->probe, err);
}

/* false: the callback has seen enough. */
static bool tell(const ob_strlist *lines, char kind, ocib_doctor_fn each, void *user)
{
	for (size_t i = 0; i < lines->len; i++) {
		if (each(kind, lines->items[i], user) != 0)
			return false;
	}
	return true;
}

ocib_errc ocib_doctor(ocib_context *ctx, ocib_store *store, ocib_doctor_fn each, void *user,
		      const char **rung, ocib_error **err)
{
	doctor_call call = {.ctx = ctx, .store = store};

	if (!ctx || !store)
		return ob_fail(err, OCIB_ERR_INVALID, "doctor needs a context and a store");
	ocib_errc r = ob_pumped_call(ctx, doctor_thread, &call, err);
	if (r == OCIB_OK && each && tell(&call.probe.facts, 'f', each, user) &&
	    tell(&call.probe.problems, 'p', each, user))
		(void)tell(&call.probe.remedies, 'r', each, user);
	if (r == OCIB_OK && rung)
		*rung = ob_rung_name(call.probe.rung);
	ob_probe_done(&call.probe);
	return r;
}
