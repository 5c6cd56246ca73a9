/* engine/plan/plan_stages.c — FROM lines to stages, and what stands between them.
 *
 * Name look-ups as BuildKit has them: FROM finds an earlier stage by its exact name, of two with one name
 * the later; --from and --target find any stage, whatever its case, of two with one name the last of
 * the file. A number is an index for --from only. All stages are linked, so that a wrong --from is
 * found in stages that nobody needs; only what the target needs goes on from here.
 */
#include <ctype.h>
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

const ob_location *ob_plan_from_place(const ob_instruction *from)
{
	return from->from_at.line ? &from->from_at : &from->at;
}

/* The FROM's name with global ARGs in it. */
static ocib_errc read_base_name(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	const ob_instruction *from = stage->source->from;
	const ob_location *at = ob_plan_from_place(from);
	ocib_errc r = ob_planner_expand_global(p, from->from, at, &stage->base_name, err);

	if (r)
		return r;
	if (*stage->base_name)
		return OCIB_OK;
	r = ob_fail_at(err, p->dockerfile, at, OCIB_ERR_SYNTAX,
		       "base name (%s) should not be blank", from->from);
	if (strchr(from->from, '$'))
		ob_error_set_hint(err, "FROM sees only ARGs that stand before the first FROM");
	return r;
}

static const ob_flag *find_flag(const ob_instruction *instruction, const char *name)
{
	for (size_t i = instruction->flag_count; i-- > 0;)
		if (ob_str_eq(instruction->flags[i].name, name))
			return &instruction->flags[i];
	return NULL;
}

static ocib_errc read_platform(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	const ob_flag *flag = find_flag(stage->source->from, "platform");
	ob_autofree char *text = NULL;
	ocib_errc r;

	stage->platform = p->options->platform;
	if (!flag || !*flag->value)
		return OCIB_OK;
	r = ob_planner_expand_global(p, flag->value, &flag->at, &text, err);
	if (r)
		return r;
	if (!*text)
		return ob_fail_at(err, p->dockerfile, &flag->at, OCIB_ERR_SYNTAX,
				  "empty platform value from expression %s", flag->value);
	stage->has_platform = true;
	ob_auto(ocib_error) inner = NULL;
	if (!ob_platform_parse(text, &stage->platform, &inner))
		return OCIB_OK;
	return ob_fail_at(err, p->dockerfile, &flag->at, OCIB_ERR_SYNTAX,
			  "failed to parse platform %s: %s", flag->value,
			  ocib_error_message(inner));
}

/* Bases: the latest earlier stage of exactly this name, else something outside. */
static ocib_errc find_base(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	for (size_t i = stage->index; i-- > 0;) {
		const char *name = p->stages[i].source->from->as;

		if (name && ob_str_eq(name, stage->base_name)) {
			stage->base = (ob_input){OB_INPUT_STAGE, i};
			return OCIB_OK;
		}
	}
	return ob_planner_add_source(p, stage->base_name, &stage->platform,
				     ob_plan_from_place(stage->source->from), &stage->base, err);
}

static ocib_errc list_commands(const ob_stage_source *source, ob_plan_stage *stage,
			       ocib_error **err)
{
	stage->commands = calloc(source->len + 1, sizeof(*stage->commands));
	if (!stage->commands)
		return ob_fail_nomem(err);
	stage->command_count = source->len;
	for (size_t i = 0; i < source->len; i++) {
		stage->commands[i].instruction = &source->instructions[i];
		stage->commands[i].at = &source->instructions[i].at;
	}
	return OCIB_OK;
}

static ocib_errc make_stage(ob_planner *p, ob_plan_stage *stage, ocib_error **err)
{
	const ob_instruction *from = stage->source->from;
	ocib_errc r;

	if (from->as)
		stage->label = strdup(from->as);
	else
		stage->label = ob_str_printf("stage-%zu", stage->index);
	if (!stage->label)
		return ob_fail_nomem(err);
	r = read_base_name(p, stage, err);
	if (!r)
		r = read_platform(p, stage, err);
	if (!r && from->as)
		r = ob_planner_find_stand_in(p, from->as, &stage->platform,
					     ob_plan_from_place(from), &stage->stand_in, err);
	if (!r && !stage->stand_in.kind)
		r = find_base(p, stage, err);
	return r ? r : list_commands(stage->source, stage, err);
}

ocib_errc ob_planner_make_stages(ob_planner *p, ocib_error **err)
{
	size_t count = p->dockerfile->stage_count;

	if (count == 0)
		return ob_fail(err, OCIB_ERR_SYNTAX, "%s has no FROM: there is nothing to build",
			       p->dockerfile->source.name);
	if (count > OB_LIMIT_STAGES)
		return ob_fail_at(err, p->dockerfile,
				  &p->dockerfile->stages[OB_LIMIT_STAGES].from->at, OCIB_ERR_LIMIT,
				  "more than %d stages (limit OB_LIMIT_STAGES)", OB_LIMIT_STAGES);
	p->stages = calloc(count, sizeof(*p->stages));
	if (!p->stages)
		return ob_fail_nomem(err);
	for (p->stage_count = 0; p->stage_count < count;) {
		ob_plan_stage *stage = &p->stages[p->stage_count];

		*stage = (ob_plan_stage){
			.source = &p->dockerfile->stages[p->stage_count],
			.index = p->stage_count,
			.node = OB_NO_INDEX,
		};
		p->stage_count++;
		ocib_errc r = make_stage(p, stage, err);
		if (r)
			return r;
	}
	return OCIB_OK;
}

/* The last stage of this name, OB_NO_INDEX if there is none. */
static size_t find_by_name(const ob_planner *p, const char *name)
{
	for (size_t i = p->stage_count; i-- > 0;) {
		const char *have = p->stages[i].source->from->as;

		if (have && ob_str_eq_nocase(have, name))
			return i;
	}
	return OB_NO_INDEX;
}

const char *ob_planner_nearest_stage(const ob_planner *p, const char *name)
{
	ob_autofree const char **names = calloc(p->stage_count, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; names && i < p->stage_count; i++)
		if (p->stages[i].source->from->as)
			names[count++] = p->stages[i].source->from->as;
	return count ? ob_nearest(name, names, count) : NULL;
}

ocib_errc ob_planner_find_target(ob_planner *p, ocib_error **err)
{
	const char *name = p->options->target;

	p->target = p->stage_count - 1;
	if (!name || !*name)
		return OCIB_OK;
	p->target = find_by_name(p, name);
	if (p->target != OB_NO_INDEX)
		return OCIB_OK;
	const char *nearest = ob_planner_nearest_stage(p, name);
	if (nearest)
		return ob_fail(err, OCIB_ERR_NOTFOUND,
			       "target stage '%s' could not be found in %s (did you mean %s?)",
			       name, p->dockerfile->source.name, nearest);
	return ob_fail(err, OCIB_ERR_NOTFOUND, "target stage '%s' could not be found in %s", name,
		       p->dockerfile->source.name);
}

/* Go's strconv.Atoi for what may be an index; 1: a number, 0: a name. */
static bool parse_index(const char *text, int64_t *index)
{
	return (isdigit((unsigned char)text[0]) || text[0] == '-' || text[0] == '+') &&
	       ob_parse_i64(text, index);
}

ocib_errc ob_planner_find_from(ob_planner *p, const char *name, const ob_location *at,
			       ob_input *out, ocib_error **err)
{
	const ob_shell_options options = {.escape = p->dockerfile->escape};
	const ob_strlist nothing = {0};
	ob_autofree char *expanded = NULL;
	int64_t index = 0;
	ocib_errc r = ob_shell_word(name, &nothing, &options, NULL, &expanded, err);

	if (r)
		return ob_source_locate(&p->dockerfile->source, at, r, err);
	if (!ob_str_eq(expanded, name)) {
		r = ob_fail_at(err, p->dockerfile, at, OCIB_ERR_SYNTAX,
			       "variable expansion is not supported for --from=%s", name);
		ob_error_set_hint(err,
				  "define a stage before this one: an ARG before the first FROM, "
				  "FROM with that ARG AS a name, and --from=name");
		return r;
	}
	if (parse_index(name, &index)) {
		if (index < 0 || (uint64_t)index >= p->stage_count)
			return ob_fail_at(err, p->dockerfile, at, OCIB_ERR_SYNTAX,
					  "invalid stage index %s: stages are numbered 0 to %zu",
					  name, p->stage_count - 1);
		*out = (ob_input){OB_INPUT_STAGE, (size_t)index};
		return OCIB_OK;
	}
	*out = (ob_input){OB_INPUT_STAGE, find_by_name(p, name)};
	if (out->index != OB_NO_INDEX)
		return OCIB_OK;
	return ob_planner_add_source(p, name, &p->options->platform, at, out, err);
}

ob_input ob_planner_real_input(const ob_planner *p, ob_input input)
{
	if (input.kind == OB_INPUT_STAGE && p->stages[input.index].stand_in.kind)
		return p->stages[input.index].stand_in;
	return input;
}

/* Depth first along --from of all stages; finds a stage that is on the path already. */
static ocib_errc find_cycle(const ob_planner *p, const ob_plan_stage *stage, uint8_t *seen,
			    ocib_error **err)
{
	enum { UNSEEN, ON_PATH, DONE };

	seen[stage->index] = ON_PATH;
	for (size_t i = 0; i < stage->command_count; i++) {
		const ob_plan_command *command = &stage->commands[i];

		if (command->from.kind != OB_INPUT_STAGE || seen[command->from.index] == DONE)
			continue;
		const ob_plan_stage *from = &p->stages[command->from.index];
		if (seen[from->index] == ON_PATH)
			return ob_fail_at(err, p->dockerfile, command->at, OCIB_ERR_SYNTAX,
					  "circular dependency detected on stage: %s", from->label);
		ocib_errc r = find_cycle(p, from, seen, err);
		if (r)
			return r;
	}
	seen[stage->index] = DONE;
	return OCIB_OK;
}

ocib_errc ob_planner_link_stages(ob_planner *p, ocib_error **err)
{
	ob_autofree uint8_t *seen = calloc(p->stage_count, sizeof(*seen));

	if (!seen)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < p->stage_count; i++) {
		ob_plan_stage *stage = &p->stages[i];

		for (size_t k = 0; k < stage->command_count; k++) {
			ob_plan_command *command = &stage->commands[k];
			const ob_flag *flag = find_flag(command->instruction, "from");

			if (command->instruction->type != OB_INSTRUCTION_COPY || !flag ||
			    !*flag->value)
				continue;
			ocib_errc r = ob_planner_find_from(p, flag->value, &flag->at,
							   &command->from, err);
			if (r)
				return r;
		}
	}
	for (size_t i = 0; i < p->stage_count; i++) {
		ocib_errc r = seen[i] ? OCIB_OK : find_cycle(p, &p->stages[i], seen, err);

		if (r)
			return r;
	}
	return OCIB_OK;
}

/* What is marked is not entered again, so each stage is walked once. */
static void mark(ob_planner *p, ob_plan_stage *stage);

static void mark_input(ob_planner *p, ob_input input)
{
	if (input.kind == OB_INPUT_SOURCE)
		p->sources[input.index].wanted = true;
	else if (input.kind == OB_INPUT_STAGE && !p->stages[input.index].needed)
		mark(p, &p->stages[input.index]);
}

static void mark(ob_planner *p, ob_plan_stage *stage)
{
	stage->needed = true;
	if (stage->stand_in.kind) {
		mark_input(p, stage->stand_in);
		return;
	}
	mark_input(p, stage->base);
	for (size_t i = 0; i < stage->command_count; i++)
		mark_input(p, stage->commands[i].from);
}

void ob_planner_mark_needed(ob_planner *p)
{
	for (size_t i = 0; i < p->stage_count; i++)
		p->stages[i].needed = false;
	mark(p, &p->stages[p->target]);
}
