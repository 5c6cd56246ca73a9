/* engine/worker/worker_calls.c — what the engine asks a worker for, as calls that take and give structs.
 *
 * Each makes a request, waits, and reads the answer; worker_tasks.c and worker_serve.c are the other end.
 */
#include <errno.h>
#include <fcntl.h>
#include "engine/worker/worker_link.h"
#include "sandbox/json_bytes.h"

static ob_json *root_to_json(const ob_tree_root *root)
{
	ob_json *json = ob_json_object();

	ob_json_set_int(json, "mode", root->mode);
	ob_json_set_int(json, "uid", root->uid);
	ob_json_set_int(json, "gid", root->gid);
	return json;
}

ocib_errc ob_worker_unpack(ob_worker *worker, const ob_unpack_request *request, ocib_error **err)
{
	ob_autodone(ob_exchange) exchange = OB_EXCHANGE_INIT;
	ob_json *body = ob_json_object();

	exchange.is_cancelable = true;
	exchange.step = request->step;
	exchange.id = request->id;
	exchange.action = "unpacking";
	exchange.total = request->size;
	ob_json_set_path(body, "blob", request->blob);
	ob_json_set_path(body, "index", request->index);
	ob_json_set_path(body, "target", request->target);
	ob_json_set_path(body, "temp", request->temp);
	ob_json_set_int(body, "threads", ob_context_jobs(worker->ctx));
	ob_json_set_str(body, "diff_id", request->diff_id ? request->diff_id->text : NULL);
	if (request->lowers)
		ob_json_set_paths(body, "lowers", request->lowers);
	if (request->root)
		ob_json_set(body, "root", root_to_json(request->root));
	return ob_worker_exchange(worker, OB_FRAME_UNPACK, body, &exchange, NULL, err);
}

static ocib_errc read_status(const ob_json *answer, ob_run_status *status, ocib_error **err)
{
	int64_t number = 0;

	(void)ob_json_get_i64(answer, "status", &number);
	status->exited = ob_json_get_bool(answer, "exited");
	status->status = (int)number;
	return ob_json_take_paths(answer, "stubs", &status->stubs, err);
}

static ocib_errc run(ob_worker *worker, const ob_run_spec *spec, ob_exchange *exchange,
		     ob_run_status *status, ocib_error **err)
{
	ob_auto(ob_json) answer = NULL;

	exchange->is_cancelable = true;
	exchange->has_fds = true;
	ocib_errc r = ob_worker_exchange(worker, OB_FRAME_RUN, ob_run_spec_to_json(spec), exchange,
					 &answer, err);
	return r < 0 ? r : read_status(answer, status, err);
}

ocib_errc ob_worker_run(ob_worker *worker, const ob_run_spec *spec, ob_worker_output output,
			void *arg, ob_run_status *status, ocib_error **err)
{
	ob_autodone(ob_exchange) exchange = OB_EXCHANGE_INIT;

	exchange.on_output = output;
	exchange.output_arg = arg;
	exchange.fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (exchange.fds[0] < 0)
		return ob_fail_errno(err, "open '/dev/null'");
	for (int i = 0; i < 2; i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return ob_fail_errno(err, "make a pipe");
		exchange.output[i] = ends[0];
		exchange.fds[i + 1] = ends[1];
	}
	return run(worker, spec, &exchange, status, err);
}

ocib_errc ob_worker_run_attended(ob_worker *worker, const ob_run_spec *spec, const int stdio[3],
				 const ob_attendant *attendant, ob_run_status *status,
				 ocib_error **err)
{
	ob_autodone(ob_exchange) exchange = OB_EXCHANGE_INIT;

	exchange.attendant = attendant;
	for (int i = 0; i < 3; i++) {
		exchange.fds[i] = fcntl(stdio[i], F_DUPFD_CLOEXEC, 3);
		if (exchange.fds[i] < 0)
			return ob_fail_errno(err, "pass standard stream %d", i);
	}
	return run(worker, spec, &exchange, status, err);
}

ocib_errc ob_worker_signal(ob_worker *worker, int number, ocib_error **err)
{
	ob_json *body = ob_json_object();

	ob_json_set_int(body, "signal", number);
	return ob_frame_send(worker->socket, OB_FRAME_SIGNAL, body, NULL, err);
}

ocib_errc ob_worker_probe_command(ob_worker *worker, const ob_strlist *argv, int output,
				  ocib_error **err)
{
	ob_autofd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const int fds[OB_FRAME_MAX_FDS] = {null, output, output};

	if (null < 0)
		return ob_fail_errno(err, "open '/dev/null'");
	ob_json *body = ob_json_object();
	ob_json_set_paths(body, "argv", argv);
	return ob_frame_send(worker->socket, OB_FRAME_PROBE, body, fds, err);
}

ocib_errc ob_worker_kill_probe(ob_worker *worker, ocib_error **err)
{
	return ob_frame_send(worker->socket, OB_FRAME_PROBE_KILL, NULL, NULL, err);
}

static ob_json *writer_to_json(const ob_layer_writer_options *options)
{
	ob_json *json = ob_json_object();

	ob_json_set_int(json, "compression", options->compression);
	ob_json_set_int(json, "level", options->level);
	ob_json_set_int(json, "threads", options->threads);
	ob_json_set_bool(json, "clamp", options->clamp);
	ob_json_set_int(json, "clamp_sec", options->clamp_sec);
	ob_json_set_bool(json, "no_hidden_index", options->no_hidden_index);
	return json;
}

static void read_root(const ob_json *json, ob_tree_root *root)
{
	int64_t mode = 0, uid = 0, gid = 0;

	(void)ob_json_get_i64(json, "mode", &mode);
	(void)ob_json_get_i64(json, "uid", &uid);
	(void)ob_json_get_i64(json, "gid", &gid);
	*root = (ob_tree_root){(uint32_t)mode, (uint32_t)uid, (uint32_t)gid};
}

static ocib_errc read_layer(const ob_json *answer, ob_layer_result *result, uint64_t *entries,
			    ocib_error **err)
{
	const char *diff_id = ob_json_get_str(answer, "diff_id");
	int64_t count = 0;

	*result = (ob_layer_result){0};
	ocib_errc r = ob_digest_parse(diff_id ? diff_id : "", &result->diff_id, err);
	if (r == OCIB_OK)
		r = ob_descriptor_from_json(ob_json_get(answer, "descriptor"), &result->descriptor,
					    err);
	(void)ob_json_get_i64(answer, "entries", &count);
	*entries = (uint64_t)count;
	return r;
}

ocib_errc ob_worker_diff(ob_worker *worker, const ob_diff_request *request, ob_layer_result *result,
			 uint64_t *entries, ocib_error **err)
{
	ob_autodone(ob_exchange) exchange = OB_EXCHANGE_INIT;
	ob_auto(ob_json) answer = NULL;
	ob_json *body = ob_json_object();

	exchange.is_cancelable = true;
	exchange.step = request->step;
	exchange.id = "layer";
	exchange.action = "compressing";
	ob_json_set_path(body, "upper", request->upper);
	ob_json_set_path(body, "blob", request->blob_path);
	ob_json_set_path(body, "index", request->index_path);
	if (request->lowers)
		ob_json_set_paths(body, "lowers", request->lowers);
	if (request->skip)
		ob_json_set_paths(body, "skip", request->skip);
	ob_json_set(body, "writer", writer_to_json(&request->writer));
	ocib_errc r = ob_worker_exchange(worker, OB_FRAME_DIFF, body, &exchange, &answer, err);
	if (r == OCIB_OK && request->root)
		read_root(ob_json_get(answer, "root"), request->root);
	return r < 0 ? r : read_layer(answer, result, entries, err);
}

ocib_errc ob_worker_remove(ob_worker *worker, const ob_strlist *paths, ocib_error **err)
{
	ob_autodone(ob_exchange) exchange = OB_EXCHANGE_INIT;
	ob_json *body = ob_json_object();

	ob_json_set_paths(body, "paths", paths);
	return ob_worker_exchange(worker, OB_FRAME_REMOVE, body, &exchange, NULL, err);
}
