/* dockerfile/instruction_names.c — the names of the instructions. */
#include "base/strings.h"
#include "dockerfile/instruction.h"

static const char *const names[] = {
	[OB_INSTRUCTION_ADD] = "ADD",
	[OB_INSTRUCTION_ARG] = "ARG",
	[OB_INSTRUCTION_CMD] = "CMD",
	[OB_INSTRUCTION_COPY] = "COPY",
	[OB_INSTRUCTION_ENTRYPOINT] = "ENTRYPOINT",
	[OB_INSTRUCTION_ENV] = "ENV",
	[OB_INSTRUCTION_EXPOSE] = "EXPOSE",
	[OB_INSTRUCTION_FROM] = "FROM",
	[OB_INSTRUCTION_HEALTHCHECK] = "HEALTHCHECK",
	[OB_INSTRUCTION_LABEL] = "LABEL",
	[OB_INSTRUCTION_MAINTAINER] = "MAINTAINER",
	[OB_INSTRUCTION_ONBUILD] = "ONBUILD",
	[OB_INSTRUCTION_RUN] = "RUN",
	[OB_INSTRUCTION_SHELL] = "SHELL",
	[OB_INSTRUCTION_STOPSIGNAL] = "STOPSIGNAL",
	[OB_INSTRUCTION_USER] = "USER",
	[OB_INSTRUCTION_VOLUME] = "VOLUME",
	[OB_INSTRUCTION_WORKDIR] = "WORKDIR",
};

ob_instruction_type ob_instruction_find(const char *name)
{
	for (unsigned i = 1; i < OB_ARRAY_LEN(names); i++)
		if (ob_str_eq_nocase(name, names[i]))
			return (ob_instruction_type)i;
	return 0;
}

const char *ob_instruction_name(ob_instruction_type type)
{
	return names[type];
}

const char *ob_instruction_nearest(const char *name)
{
	char upper[32];
	size_t len = 0;

	for (; name[len] && len < sizeof(upper) - 1; len++)
		upper[len] = name[len] >= 'a' && name[len] <= 'z' ? (char)(name[len] - 'a' + 'A')
								  : name[len];
	upper[len] = '\0';
	return ob_nearest(upper, names + 1, OB_ARRAY_LEN(names) - 1);
}
