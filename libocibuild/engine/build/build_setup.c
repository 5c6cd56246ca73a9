/* engine/build/build_setup.c — from options to a plan: everything that can be refused is refused here.
 *
 * Options are checked before anything is read, the Dockerfile is parsed before a base is looked for, and
 * no step has run when this ends.
 */
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "engine/build/build.h"

/* Raised when the same step would give other bytes than an earlier version gave. */
#define LAYER_FORMAT 1

/* --- Dockerfile --- */

static void warn_dockerfile(const ob_build *build)
{
	for (size_t i = 0; i < build->dockerfile->warnings.len; i++) {
		const char *warning = build->dockerfile->warnings.items[i];
		char *text;
		unsigned long line = strtoul(warning, &text, 10);

		text += strspn(text, ": ");
		ob_emit_warning(build->ctx, build->dockerfile->source.name, (unsigned)line, "%s",
				text);
	}
}

/* --- plan --- */

static ocib_errc parse_network(const char *text, ob_network *out, ocib_error **err)
{
	if (!text || !*text || ob_str_eq(text, "default"))
		*out = OB_NETWORK_DEFAULT;
	else if (ob_str_eq(text, "none"))
		*out = OB_NETWORK_NONE;
	else if (ob_str_eq(text, "host"))
		*out = OB_NETWORK_HOST;
	else
		return ob_fail(err, OCIB_ERR_INVALID, "network is default, none or host, not '%s'",
			       text);
	return OCIB_OK;
}

typedef struct plan_input {
	ob_strlist build_args, labels;
	ob_named_context *contexts;
	size_t context_count;
} plan_input;

static void plan_input_done(plan_input *in)
{
	ob_strlist_done(&in->build_args);
	ob_strlist_done(&in->labels);
	for (size_t i = 0; i < in->context_count; i++) {
		free(in->contexts[i].name);
		free(in->contexts[i].value);
	}
	free(in->contexts);
}

static int add_pair(ob_strlist *list, const char *pair)
{
	const char *equals = strchr(pair, '=');
	size_t key = equals ? (size_t)(equals - pair) : strlen(pair);

	return ob_strlist_add_len(list, pair, key) < 0 ||
			       ob_strlist_add(list, equals ? equals + 1 : "") < 0
		       ? -1
		       : 0;
}

static size_t count_texts(const char *const *list)
{
	size_t count = 0;

	while (list && list[count])
		count++;
	return count;
}

static ocib_errc add_context(plan_input *in, const char *text, bool images_only, ocib_error **err)
{
	const char *equals = strchr(text, '=');
	ob_named_context *context = &in->contexts[in->context_count];

	if (!equals || equals == text || !equals[1])
		return ob_fail(err, OCIB_ERR_INVALID, "a %s is NAME=VALUE, not '%s'",
			       images_only ? "base image" : "build context", text);
	context->images_only = images_only;
	context->name = strndup(text, (size_t)(equals - text));
	context->value = strdup(equals + 1);
	in->context_count++;
	return context->name && context->value ? OCIB_OK : ob_fail_nomem(err);
}

/* Of two for one name the later one counts: what the caller calls a context comes last. */
static ocib_errc add_contexts(plan_input *in, const ocib_build_options *options, ocib_error **err)
{
	size_t bases = count_texts(options->base_images);
	size_t contexts = count_texts(options->build_contexts);
	ocib_errc r = OCIB_OK;

	in->contexts = calloc(bases + contexts + 1, sizeof(*in->contexts));
	if (!in->contexts)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < bases && r == OCIB_OK; i++)
		r = add_context(in, options->base_images[i], true, err);
	for (size_t i = 0; i < contexts && r == OCIB_OK; i++)
		r = add_context(in, options->build_contexts[i], false, err);
	return r;
}

static ocib_errc fill_input(const ocib_build_options *options, plan_input *in, ocib_error **err)
{
	for (const char *const *one = options->build_args; one && *one; one++) {
		if (!strchr(*one, '=') || **one == '=')
			return ob_fail(err, OCIB_ERR_INVALID,
				       "a build argument is KEY=VALUE, not '%s'", *one);
		if (ob_strlist_add(&in->build_args, *one) < 0)
			return ob_fail_nomem(err);
	}
	for (const char *const *one = options->labels; one && *one; one++) {
		if (add_pair(&in->labels, *one) < 0)
			return ob_fail_nomem(err);
	}
	return add_contexts(in, options, err);
}

/* Who gives the machine's network to all has given it to those that name it. What is not executed needs
 * no leave. */
static ocib_errc read_allow(const ocib_build_options *options, ob_plan_options *plan,
			    ocib_error **err)
{
	plan->allow_host_network = plan->checking || plan->network == OB_NETWORK_HOST;
	plan->allow_insecure = plan->checking;
	for (const char *const *one = options->allow; one && *one; one++) {
		if (ob_str_eq(*one, "network.host"))
			plan->allow_host_network = true;
		else if (ob_str_eq(*one, "security.insecure"))
			plan->allow_insecure = true;
		else
			return ob_fail(err, OCIB_ERR_INVALID,
				       "what can be allowed is network.host and security.insecure, "
				       "not '%s'",
				       *one);
	}
	return OCIB_OK;
}

static ocib_errc make_plan(ob_build *build, ocib_error **err)
{
	const ocib_build_options *options = &build->options;
	__attribute__((cleanup(plan_input_done))) plan_input in = {0};
	const ob_registry_options registry = {.plain_http = options->plain_http != 0};
	ob_plan_options plan = {
		.context_dir = build->input.dir,
		.context_tree = build->input.remote.tree,
		.context_is_remote = build->input.is_remote,
		.dockerfile_path = build->input.dockerfile,
		.target = options->target,
		.platform = build->platforms[0],
		.platform_given = build->platform_given,
		.also = build->platforms + 1,
		.also_count = build->platform_count - 1,
		.show_platforms = build->makes_index,
		.build_args = &in.build_args,
		.labels = &in.labels,
		.pull = options->pull != 0,
		.has_epoch = build->has_epoch,
		.epoch = build->epoch,
		.has_context_time = build->input.remote.has_time,
		.context_time = build->input.remote.time,
		.secrets = &build->secrets,
		.findings = &build->findings,
		.checking = build->checking,
		.outline = build->outline,
	};

	ocib_errc r = fill_input(options, &in, err);
	if (r == OCIB_OK)
		r = parse_network(options->network, &plan.network, err);
	if (r == OCIB_OK)
		r = read_allow(options, &plan, err);
	if (r < 0)
		return r;
	plan.contexts = in.contexts;
	plan.context_count = in.context_count;
	r = ob_image_sources_new(build->ctx, build->store, &registry, &build->sources, err);
	if (r == OCIB_OK)
		r = ob_plan_make(build->ctx, build->sources, build->dockerfile, &plan, &build->plan,
				 err);
	return r;
}

static void warn_plan(const ob_build *build)
{
	ob_autodone(ob_buffer) names = OB_BUFFER_INIT(OB_LIMIT_EXPANSION, "build arguments");

	for (size_t i = 0; i < build->plan->unused_args.len; i++)
		ob_buffer_printf(&names, "%s%s", i ? ", " : "", build->plan->unused_args.items[i]);
	if (names.len)
		ob_emit_warning(build->ctx, NULL, 0,
				"one or more build-args were not consumed: [%s]", names.data);
}

/* --- the rest --- */

/* Whatever the options change in a layer's bytes: part of every key. */
static ocib_errc set_settings(ob_build *build, ocib_error **err)
{
	const int64_t numbers[] = {
		LAYER_FORMAT,     (int64_t)build->writer.compression,  build->writer.level,
		build->has_epoch, build->has_epoch ? build->epoch : 0,
	};

	const ob_key_part part = {numbers, sizeof(numbers)};
	return ob_step_key("settings", &part, 1, build->settings, err);
}

static ocib_errc make_nodes(ob_build *build, ocib_error **err)
{
	build->nodes = calloc(build->plan->node_count + 1, sizeof(*build->nodes));
	if (!build->nodes)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < build->plan->node_count; i++)
		(void)pthread_mutex_init(&build->nodes[i].scan_lock, NULL);
	return OCIB_OK;
}

static ocib_errc resolve(ob_build *build, ocib_error **err)
{
	ob_step_span span = {.text = "resolving base images"};

	ob_span_start(build->ctx, &span);
	ocib_errc r = ob_span_end(build->ctx, &span, make_plan(build, err));
	if (r == OCIB_OK)
		warn_plan(build);
	return r;
}

static bool has_run(const ob_plan *plan)
{
	for (size_t i = 0; i < plan->node_count; i++) {
		for (size_t j = 0; j < plan->nodes[i].step_count; j++) {
			if (plan->nodes[i].needed && plan->nodes[i].steps[j].op == OB_STEP_RUN)
				return true;
		}
	}
	return false;
}

ocib_errc ob_build_make_plan(ob_build *build, const ocib_build_options *options, ocib_error **err)
{
	ocib_errc r = ob_build_check_options(build, options, err);

	if (r == OCIB_OK)
		r = ob_build_begin_findings(build, err);
	if (r == OCIB_OK)
		r = ob_build_open_input(build, err);
	if (r == OCIB_OK) {
		warn_dockerfile(build);
		r = resolve(build, err);
	}
	ob_findings_sort(&build->findings);
	return r;
}

ocib_errc ob_build_setup(ob_build *build, const ocib_build_options *options, ocib_error **err)
{
	ocib_errc r = ob_build_make_plan(build, options, err);

	ob_build_emit_findings(build);
	if (r == OCIB_OK)
		r = ob_findings_verdict(&build->findings, build->dockerfile, err);
	if (r < 0)
		return r;
	build->has_epoch = build->plan->has_epoch;
	build->epoch = build->plan->epoch;
	build->writer.clamp = build->has_epoch;
	build->writer.clamp_sec = build->epoch;
	if (build->options.ca_cert || has_run(build->plan))
		r = ob_ca_bundle_open(build->options.ca_cert, &build->ca, err);
	if (r == OCIB_OK)
		r = set_settings(build, err);
	return r == OCIB_OK ? make_nodes(build, err) : r;
}

static void node_done(ob_build *build, ob_node_run *run)
{
	/* After a failure, a commit may still be under way. */
	(void)ob_run_commit_collect(build, &run->stage, NULL);
	(void)ob_tree_free(run->stage.tree);
	ob_strlist_done(&run->stage.created);
	(void)ob_tree_free(run->tree);
	(void)ob_context_scan_free(run->scan);
	(void)pthread_mutex_destroy(&run->scan_lock);
}

void ob_build_done(ob_build *build)
{
	for (size_t i = 0; build->nodes && i < build->plan->node_count; i++)
		node_done(build, &build->nodes[i]);
	free(build->nodes);
	(void)ob_plan_free(build->plan);
	(void)ob_dockerfile_free(build->dockerfile);
	(void)ob_image_sources_free(build->sources);
	ob_findings_done(&build->findings);
	ob_source_text_done(&build->text);
	ob_strlist_done(&build->claims);
	ob_strlist_done(&build->tags);
	free(build->platforms);
	ob_strlist_done(&build->extra_hosts);
	ob_ca_bundle_done(&build->ca);
	ob_secrets_done(&build->secrets);
	ob_ssh_sockets_done(&build->ssh);
	ob_cache_carry_done(&build->caches);
	ob_build_input_done(&build->input);
}
