/* engine/build/build_findings.c — what a check finds, in an ordinary build: warnings, and a failure where
 * the Dockerfile or BUILDKIT_DOCKERFILE_CHECK says error=true.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/build/build.h"

ocib_errc ob_build_begin_findings(ob_build *build, ocib_error **err)
{
	static const char key[] = "BUILDKIT_DOCKERFILE_CHECK=";
	const char *value = NULL;
	ocib_errc r;

	for (const char *const *one = build->options.build_args; one && *one; one++)
		if (ob_str_starts(*one, key))
			value = *one + strlen(key);
	if (!value)
		return OCIB_OK;
	r = ob_findings_set_options(&build->findings, value, err);
	return r ? ob_wrap(err, r, "build argument BUILDKIT_DOCKERFILE_CHECK") : OCIB_OK;
}

void ob_build_emit_findings(const ob_build *build)
{
	const ob_findings *findings = &build->findings;

	for (size_t i = 0; build->dockerfile && i < findings->len; i++) {
		const ob_finding *one = &findings->items[i];
		const ocib_check_rule *rule = ob_rule_get(one->rule);
		ob_autofree char *excerpt = NULL;

		(void)ob_source_excerpt(&build->dockerfile->source, &one->at, &excerpt, NULL);
		const ocib_event event = {
			.type = OCIB_EVENT_WARNING,
			.u.message =
				{
					.text = one->message,
					.file = build->dockerfile->source.name,
					.line = one->at.line,
					.rule = rule->name,
					.url = rule->url,
					.excerpt = excerpt,
				},
		};
		ob_emit(build->ctx, &event);
	}
	if (findings->dropped)
		ob_emit_warning(build->ctx, NULL, 0, "%zu findings more are not shown",
				findings->dropped);
}
