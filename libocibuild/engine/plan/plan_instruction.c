/* engine/plan/plan_instruction.c — what handlers ask of their instruction: flags, words, places.
 *
 * Every error of an instruction points into the Dockerfile: at the word or flag that is wrong, or at
 * the FROM when the instruction is a trigger that a base brought in.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/plan/planner.h"

const ob_location *ob_dispatch_place(const ob_dispatch *d, const ob_location *at)
{
	return d->command->is_trigger || !at || !at->line ? d->command->at : at;
}

ocib_errc ob_dispatch_expand_as(const ob_dispatch *d, const ob_shell_options *options,
				const char *word, const ob_location *at, char **out,
				ocib_error **err)
{
	ob_autodone(ob_strlist) unset = {0};
	const ob_shell_use use = {.unmatched = d->planner->options->findings ? &unset : NULL};
	ocib_errc r = ob_shell_word(word, &d->stage->env, options, &use, out, err);

	ob_check_unset(d, &unset);
	return r ? ob_source_locate(&d->planner->dockerfile->source, ob_dispatch_place(d, at), r,
				    err)
		 : OCIB_OK;
}

ocib_errc ob_dispatch_expand(const ob_dispatch *d, const char *word, const ob_location *at,
			     char **out, ocib_error **err)
{
	const ob_shell_options options = {.escape = d->planner->dockerfile->escape};

	return ob_dispatch_expand_as(d, &options, word, at, out, err);
}

ocib_errc ob_dispatch_expand_only(const ob_dispatch *d, char **out, ocib_error **err)
{
	const ob_words *words = &d->instruction->words;

	if (words->len != 1)
		return ob_fail_here(err, d, NULL, OCIB_ERR_SYNTAX,
				    "%s requires exactly one argument", d->instruction->name);
	return ob_dispatch_expand(d, words->items[0].text, &words->items[0].at, out, err);
}

const ob_flag *ob_dispatch_flag(const ob_dispatch *d, const char *name)
{
	return ob_plan_flag(d->instruction, name);
}

int ob_dispatch_flag_bool(const ob_dispatch *d, const char *name)
{
	return ob_dispatch_flag(d, name) ? ob_instruction_flag_bool(d->instruction, name, false)
					 : -1;
}
