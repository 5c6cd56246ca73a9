/* engine/build/schedule.c — stages side by side on a few threads.
 *
 * Each thread takes a stage whose next step can be done, goes on with it until a step must wait for
 * another stage, and puts it back. No thread ever waits for a certain stage, so any number of threads
 * finishes any graph. Two stages that come to the same step do not both execute it: the second waits and
 * then finds the first one's record. The first failure stops everything: commands under way are ended, and
 * nothing more is begun.
 */
#include <string.h>
#include "base/strings.h"
#include "base/threads.h"
#include "engine/build/build.h"

typedef struct scheduler {
	ob_build *build;
	size_t left;      /* stages not finished */
	ocib_errc result; /* the first failure */
	ocib_error *err;
} scheduler;

bool ob_build_may_go_on(ob_build *build, const ob_stage_run *stage)
{
	bool may;

	(void)pthread_mutex_lock(&build->lock);
	may = !build->stop && ob_stage_can_go_on(build, stage);
	(void)pthread_mutex_unlock(&build->lock);
	return may;
}

bool ob_build_claim(ob_build *build, const uint8_t key[OB_SHA256_LEN])
{
	char hex[2 * OB_SHA256_LEN + 1];
	bool claimed;

	ob_hex_encode(key, OB_SHA256_LEN, hex);
	(void)pthread_mutex_lock(&build->lock);
	while (!build->stop && ob_strlist_contains(&build->claims, hex))
		(void)pthread_cond_wait(&build->changed, &build->lock);
	claimed = !build->stop;
	if (claimed) /* without memory for it, the same may be done twice */
		(void)ob_strlist_add(&build->claims, hex);
	(void)pthread_mutex_unlock(&build->lock);
	return claimed;
}

void ob_build_release(ob_build *build, const uint8_t key[OB_SHA256_LEN])
{
	char hex[2 * OB_SHA256_LEN + 1];

	ob_hex_encode(key, OB_SHA256_LEN, hex);
	(void)pthread_mutex_lock(&build->lock);
	for (size_t i = 0; i < build->claims.len; i++) {
		if (ob_str_eq(build->claims.items[i], hex)) {
			ob_strlist_remove(&build->claims, i);
			break;
		}
	}
	(void)pthread_cond_broadcast(&build->changed);
	(void)pthread_mutex_unlock(&build->lock);
}

/* Under the lock. */
static ob_node_run *pick(ob_build *build)
{
	for (size_t i = 0; i < build->plan->node_count; i++) {
		const ob_node *node = &build->plan->nodes[i];
		ob_node_run *run = &build->nodes[i];

		if (node->kind == OB_NODE_STAGE && node->needed && !run->done && !run->running &&
		    ob_stage_can_go_on(build, &run->stage))
			return run;
	}
	return NULL;
}

/* Under the lock: what came of a stage's turn. */
static void settle(scheduler *s, ob_node_run *run, ocib_errc r, ocib_error **err)
{
	ob_stage_run *stage = &run->stage;

	run->running = false;
	if (r < 0) {
		s->build->stop = true;
		ob_workshop_stop(&s->build->shop);
		if (s->result == OCIB_OK) {
			s->result = r;
			s->err = ob_take_ptr(*err);
		}
	} else if (stage->next == s->build->plan->nodes[stage->node].step_count &&
		   !stage->pending) {
		run->tree = ob_tree_ref(stage->tree);
		memcpy(run->key, stage->key, OB_SHA256_LEN);
		run->done = true;
		s->left--;
	}
	(void)pthread_cond_broadcast(&s->build->changed);
}

static void *work(void *arg)
{
	scheduler *s = arg;
	ob_build *build = s->build;

	(void)pthread_mutex_lock(&build->lock);
	while (s->left && !build->stop) {
		ob_auto(ocib_error) err = NULL;
		ob_node_run *run = pick(build);

		if (!run) {
			(void)pthread_cond_wait(&build->changed, &build->lock);
			continue;
		}
		run->running = true;
		(void)pthread_mutex_unlock(&build->lock);
		ocib_errc r = ob_stage_go_on(build, &run->stage, &err);
		(void)pthread_mutex_lock(&build->lock);
		settle(s, run, r, &err);
	}
	(void)pthread_mutex_unlock(&build->lock);
	return NULL;
}

/* What needs no execution is done from the start. */
static ocib_errc begin_node(ob_build *build, size_t i, ocib_error **err)
{
	const ob_node *node = &build->plan->nodes[i];
	ob_node_run *run = &build->nodes[i];
	ocib_errc r = OCIB_OK;

	run->stage.node = i;
	if (node->kind == OB_NODE_STAGE)
		return OCIB_OK;
	if (node->kind == OB_NODE_IMAGE && node->needed)
		r = ob_tree_new_image(build->store, node->image, &run->tree, err);
	else if (node->kind == OB_NODE_SCRATCH && node->needed)
		r = ob_tree_new_scratch(build->store, &run->tree, err);
	else if (node->kind == OB_NODE_TREE)
		run->tree = ob_tree_ref(node->tree);
	if (r == OCIB_OK && run->tree)
		r = ob_step_key_of_tree(ob_tree_chain_id(run->tree), run->key, err);
	run->done = true;
	return r;
}

static ocib_errc begin_nodes(ob_build *build, size_t *stages, ocib_error **err)
{
	*stages = 0;
	for (size_t i = 0; i < build->plan->node_count; i++) {
		ocib_errc r = begin_node(build, i, err);
		if (r < 0)
			return r;
		*stages +=
			build->plan->nodes[i].kind == OB_NODE_STAGE && build->plan->nodes[i].needed;
	}
	return OCIB_OK;
}

static size_t thread_count(const ob_build *build, size_t stages)
{
	size_t jobs = build->options.jobs ? build->options.jobs : ob_context_jobs(build->ctx);

	return stages < jobs ? stages : jobs;
}

ocib_errc ob_build_execute(ob_build *build, ocib_error **err)
{
	scheduler s = {.build = build};
	ob_autofree pthread_t *threads = NULL;
	size_t started = 0;

	ocib_errc r = begin_nodes(build, &s.left, err);
	if (r < 0)
		return r;
	size_t wanted = thread_count(build, s.left);
	threads = calloc(wanted + 1, sizeof(*threads));
	if (!threads)
		return ob_fail_nomem(err);
	/* This thread is one of them; fewer than wanted will do. */
	while (started + 1 < wanted && ob_thread_start(&threads[started], work, &s) == 0)
		started++;
	(void)work(&s);
	for (size_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	return s.result < 0 ? ob_error_move(err, &s.err) : OCIB_OK;
}
