/* dockerfile/check_rules.c — the table of rules: names and links are BuildKit's, the words are ours.
 *
 * A name is what people write into "# check=skip=…", and a link leads to BuildKit's page about the
 * rule; InvalidBaseImagePlatform has none. docs/checks.md says of each what it asks for, and
 * tests/lint/check_docs.py sees that it leaves none out.
 */
#include "dockerfile/check_rules.h"

#define PAGE "https://docs.docker.com/go/dockerfile/rule/"

static const ocib_check_rule rules[OB_RULE_COUNT] = {
	[OB_RULE_CONSISTENT_INSTRUCTION_CASING] =
		{"ConsistentInstructionCasing",
		 "instructions are all in capitals, or all in small letters",
		 PAGE "consistent-instruction-casing/", 0},
	[OB_RULE_COPY_IGNORED_FILE] = {"CopyIgnoredFile",
				       "what COPY and ADD name is not excluded by the ignore file",
				       PAGE "copy-ignored-file/", 0},
	[OB_RULE_DUPLICATE_STAGE_NAME] = {"DuplicateStageName", "each stage has a name of its own",
					  PAGE "duplicate-stage-name/", 0},
	[OB_RULE_EXPOSE_INVALID_FORMAT] =
		{"ExposeInvalidFormat",
		 "EXPOSE names ports of the container, without an address or a port of the host",
		 PAGE "expose-invalid-format/", 0},
	[OB_RULE_EXPOSE_PROTO_CASING] = {"ExposeProtoCasing",
					 "the protocol in EXPOSE is in small letters",
					 PAGE "expose-proto-casing/", 0},
	[OB_RULE_FROM_AS_CASING] =
		{"FromAsCasing", "FROM and its AS are both in capitals, or both in small letters",
		 PAGE "from-as-casing/", 0},
	[OB_RULE_FROM_PLATFORM_CONST] = {"FromPlatformFlagConstDisallowed",
					 "FROM --platform has a variable in it",
					 PAGE "from-platform-flag-const-disallowed/", 0},
	[OB_RULE_INVALID_BASE_IMAGE_PLATFORM] = {"InvalidBaseImagePlatform",
						 "a base is for the platform that is built", NULL,
						 0},
	[OB_RULE_INVALID_DEFAULT_ARG_IN_FROM] =
		{"InvalidDefaultArgInFrom",
		 "the defaults of global ARGs make image names that can be",
		 PAGE "invalid-default-arg-in-from/", 0},
	[OB_RULE_INVALID_DEFINITION_DESCRIPTION] =
		{"InvalidDefinitionDescription",
		 "a comment directly above a stage or an ARG begins with its name and describes it",
		 PAGE "invalid-definition-description/", 1},
	[OB_RULE_JSON_ARGS_RECOMMENDED] =
		{"JSONArgsRecommended",
		 "CMD and ENTRYPOINT are JSON, so that no shell stands between signals and the program",
		 PAGE "json-args-recommended/", 0},
	[OB_RULE_LEGACY_KEY_VALUE_FORMAT] = {"LegacyKeyValueFormat",
					     "ENV and LABEL have '=' between key and value",
					     PAGE "legacy-key-value-format/", 0},
	[OB_RULE_MAINTAINER_DEPRECATED] =
		{"MaintainerDeprecated",
		 "an image's author is a label, and MAINTAINER is out of use",
		 PAGE "maintainer-deprecated/", 0},
	[OB_RULE_MULTIPLE_INSTRUCTIONS] =
		{"MultipleInstructionsDisallowed",
		 "a stage has one CMD, one ENTRYPOINT and one HEALTHCHECK: the last one counts",
		 PAGE "multiple-instructions-disallowed/", 0},
	[OB_RULE_NO_EMPTY_CONTINUATION] =
		{"NoEmptyContinuation",
		 "an instruction of several lines has no empty one among them",
		 PAGE "no-empty-continuation/", 0},
	[OB_RULE_REDUNDANT_TARGET_PLATFORM] =
		{"RedundantTargetPlatform",
		 "FROM has no --platform=$TARGETPLATFORM, which it has without saying so",
		 PAGE "redundant-target-platform/", 0},
	[OB_RULE_RESERVED_STAGE_NAME] = {"ReservedStageName",
					 "no stage is called scratch or context",
					 PAGE "reserved-stage-name/", 0},
	[OB_RULE_SECRETS_USED_IN_ARG_OR_ENV] =
		{"SecretsUsedInArgOrEnv",
		 "no ARG or ENV has a name like a secret's: both can be read from the image",
		 PAGE "secrets-used-in-arg-or-env/", 0},
	[OB_RULE_STAGE_NAME_CASING] = {"StageNameCasing", "names of stages are in small letters",
				       PAGE "stage-name-casing/", 0},
	[OB_RULE_UNDEFINED_ARG_IN_FROM] =
		{"UndefinedArgInFrom", "variables in FROM are ARGs declared before the first FROM",
		 PAGE "undefined-arg-in-from/", 0},
	[OB_RULE_UNDEFINED_VAR] = {"UndefinedVar", "a variable is defined before it is used",
				   PAGE "undefined-var/", 0},
	[OB_RULE_WORKDIR_RELATIVE_PATH] =
		{"WorkdirRelativePath",
		 "the first WORKDIR is absolute, whatever directory the base is in",
		 PAGE "workdir-relative-path/", 0},
};

const ocib_check_rule *ob_rule_get(ob_rule rule)
{
	return &rules[rule];
}

size_t ocib_check_rule_count(void)
{
	return OB_RULE_COUNT;
}

const ocib_check_rule *ocib_check_rule_get(size_t index)
{
	return index < OB_RULE_COUNT ? &rules[index] : NULL;
}
