/* Every rule of a check: raised, not raised, skipped. */
#include "plan_fixture.h"

#define LAYER "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* Parse and plan; what was found, as "line Rule" each, is compared. An error does not matter. */
static void check(plan_fixture *f, const char *text, const char *want)
{
	ob_autodone(ob_findings) findings = {0};
	ob_autodone(ob_buffer) have = OB_BUFFER_INIT(65536, "findings");
	ob_auto(ocib_error) ignored = NULL;

	plan_open(f);
	f->plan = ob_plan_free(f->plan);
	f->dockerfile = ob_dockerfile_free(f->dockerfile);
	f->options.findings = &findings;
	f->options.checking = true;
	if (!ob_dockerfile_parse_checked("Dockerfile", text, strlen(text), &findings,
					 &f->dockerfile, &ignored))
		(void)ob_plan_make(f->ctx, f->images, f->dockerfile, &f->options, &f->plan,
				   &ignored);
	ob_findings_sort(&findings);
	for (size_t i = 0; i < findings.len; i++)
		ob_buffer_printf(&have, "%s%u %s", i ? ", " : "", findings.items[i].at.line,
				 ob_rule_get(findings.items[i].rule)->name);
	ob_buffer_append_str(&have, "");
	f->options.findings = NULL;
	if (strcmp(have.data ? have.data : "", want) != 0)
		fail_msg("%s\nfound: %s\nwanted: %s", text, have.data ? have.data : "", want);
}

typedef struct example {
	const char *text, *want;
} example;

static void check_all(const example *examples, size_t count)
{
	ob_autodone(plan_fixture) f = {0};

	for (size_t i = 0; i < count; i++)
		check(&f, examples[i].text, examples[i].want);
}
#define CHECK_ALL(examples) check_all((examples), OB_ARRAY_LEN(examples))

TEST(check__stage_name_casing)
{
	static const example examples[] = {
		{"FROM scratch AS Base", "1 StageNameCasing"},
		{"FROM scratch AS base", ""},
		{"# x\n#\n# check=skip=StageNameCasing\nFROM scratch AS Base", ""},
		{"# check=skip=StageNameCasing\nFROM scratch AS Base", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__from_as_casing)
{
	static const example examples[] = {
		{"FROM scratch as base", "1 FromAsCasing"},
		{"FROM scratch As base", "1 FromAsCasing"},
		{"from scratch AS base", "1 FromAsCasing"},
		{"from scratch as base", ""},
		{"FROM scratch AS base", ""},
		{"From scratch as base", "1 ConsistentInstructionCasing"},
		{"ARG a\n# check=skip=FromAsCasing\nFROM scratch as base", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__consistent_instruction_casing)
{
	static const example examples[] = {
		{"FROM scratch\nenv a=b", "2 ConsistentInstructionCasing"},
		{"from scratch\nenv a=b\nLABEL c=d", "3 ConsistentInstructionCasing"},
		{"from scratch\nenv a=b", ""},
		{"FROM scratch\nEnv a=b", "2 ConsistentInstructionCasing"},
		{"arg x\nFROM scratch", ""},
		/* A comment above the instruction has no say: it compares with all others. */
		{"FROM scratch\n# check=skip=ConsistentInstructionCasing\nenv a=b",
		 "3 ConsistentInstructionCasing"},
		{"# check=skip=all\nFROM scratch\nenv a=b", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__stage_names)
{
	static const example examples[] = {
		{"FROM scratch AS a\nFROM scratch AS b\nFROM scratch AS a", "3 DuplicateStageName"},
		{"FROM scratch AS a\nFROM scratch AS b", ""},
		{"# check=skip=DuplicateStageName\nFROM scratch AS a\nFROM scratch AS a", ""},
		{"FROM scratch AS scratch", "1 ReservedStageName"},
		{"FROM scratch AS context", "1 ReservedStageName"},
		{"# check=skip=ReservedStageName\nFROM scratch AS context", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__no_empty_continuation)
{
	static const example examples[] = {
		{"FROM scratch\nLABEL a=b \\\n\n\n c=d\nLABEL e=f\\\n\n g=h",
		 "3 NoEmptyContinuation, 7 NoEmptyContinuation"},
		{"FROM scratch\nLABEL a=b \\\n# x\n c=d\n\nLABEL e=f", ""},
		{"# check=skip=NoEmptyContinuation\nFROM scratch\nLABEL a=b \\\n\n c=d", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__maintainer_deprecated)
{
	static const example examples[] = {
		{"FROM scratch\nMAINTAINER me", "2 MaintainerDeprecated"},
		{"FROM scratch\n# check=skip=MaintainerDeprecated\nMAINTAINER me", ""},
		{"FROM scratch\nLABEL org.opencontainers.image.authors=me", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__invalid_definition_description)
{
	static const example examples[] = {
		{"# x\nARG a\n# y\nFROM scratch AS b", ""},
		{"# check=experimental=all\n# x\nARG a\n# y\nFROM scratch AS b",
		 "3 InvalidDefinitionDescription, 5 InvalidDefinitionDescription"},
		{"# check=experimental=all\n# z\n# a is it\nARG a\n# b as well\nFROM scratch AS b",
		 ""},
		{"# check=experimental=InvalidDefinitionDescription\n# x\nFROM scratch", ""},
		{"# check=experimental=all\n# x\n#\nARG a\nFROM scratch", ""},
		{"# check=experimental=all\n# d does\nARG c d\nFROM scratch", ""},
		{"ARG z\n# check=experimental=all\nARG a\nFROM scratch",
		 "3 InvalidDefinitionDescription"},
	};
	CHECK_ALL(examples);
}

TEST(check__json_args_recommended)
{
	static const example examples[] = {
		{"FROM scratch\nCMD a\nENTRYPOINT b c",
		 "2 JSONArgsRecommended, 3 JSONArgsRecommended"},
		{"FROM scratch\nCMD [\"a\"]\nENTRYPOINT [\"b\"]\nRUN x", ""},
		{"FROM scratch\nSHELL [\"/bin/bash\", \"-c\"]\nCMD a", ""},
		{"FROM scratch\n# check=skip=JSONArgsRecommended\nCMD a", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__legacy_key_value_format)
{
	static const example examples[] = {
		{"FROM scratch\nENV a b\nLABEL c d",
		 "2 LegacyKeyValueFormat, 3 LegacyKeyValueFormat"},
		{"FROM scratch\nENV a=b\nLABEL c=d", ""},
		{"FROM scratch\n# check=skip=LegacyKeyValueFormat\nENV a b", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__secrets_used_in_arg_or_env)
{
	static const example examples[] = {
		{"FROM scratch\nARG TOKEN\nENV DB_Password=x a=b my_apikey=z",
		 "2 SecretsUsedInArgOrEnv, 3 SecretsUsedInArgOrEnv, 3 SecretsUsedInArgOrEnv"},
		{"ARG TOKEN\nFROM scratch\nARG TOKENS PUBLIC_KEY KEY_FILE secret_version\nENV "
		 "monkey=1 keys=2\nLABEL key=1",
		 ""},
		{"FROM scratch\n# check=skip=SecretsUsedInArgOrEnv\nARG AUTH", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__multiple_instructions_show_the_ones_without_effect)
{
	static const example examples[] = {
		{"FROM scratch\nCMD [\"a\"]\nCMD [\"b\"]\nCMD [\"c\"]",
		 "2 MultipleInstructionsDisallowed, 3 MultipleInstructionsDisallowed"},
		{"FROM scratch\nENTRYPOINT [\"a\"]\nHEALTHCHECK NONE\nHEALTHCHECK NONE\n"
		 "ENTRYPOINT [\"b\"]",
		 "2 MultipleInstructionsDisallowed, 3 MultipleInstructionsDisallowed"},
		{"FROM scratch AS a\nCMD [\"a\"]\nFROM a\nCMD [\"b\"]\nENTRYPOINT [\"c\"]", ""},
		{"FROM scratch\nCMD [\"a\"]\n# check=skip=MultipleInstructionsDisallowed\n"
		 "CMD [\"b\"]",
		 ""},
	};
	CHECK_ALL(examples);
}

TEST(check__undefined_var)
{
	static const example examples[] = {
		{"FROM scratch\nWORKDIR /$a\nLABEL b=$c$c d=${e:-f}",
		 "2 UndefinedVar, 3 UndefinedVar, 3 UndefinedVar"},
		{"FROM scratch\nARG a\nENV b=c\nCOPY $a ${b} $PATH /\nRUN $none\nCMD [\"$none\"]",
		 ""},
		{"ARG a=b\nFROM scratch AS s\nARG x\nFROM s\nUSER $x$a", "5 UndefinedVar"},
		{"FROM scratch\n# check=skip=UndefinedVar\nUSER $x", ""},
		{"FROM scratch\nCOPY <<F <<'G' /\n$x\nF\n$y\nG\n", "2 UndefinedVar"},
		{"FROM scratch\nARG a=$b\nVOLUME $BUILDKIT_SBOM_SCAN_STAGE/x", "2 UndefinedVar"},
	};
	CHECK_ALL(examples);
}

TEST(check__undefined_var_says_which_was_meant)
{
	ob_autodone(plan_fixture) f = {0};
	ob_autodone(ob_findings) findings = {0};

	f.options.findings = &findings;
	plan_ok(&f, "FROM scratch\nENV APP_HOME=/srv\nUSER $APP_HOM\n");
	assert_int_equal(findings.len, 1);
	assert_non_null(strstr(findings.items[0].message, "(did you mean '$APP_HOME'?)"));
}

TEST(check__undefined_arg_in_from)
{
	static const example examples[] = {
		{"FROM $a\n", "1 InvalidDefaultArgInFrom, 1 UndefinedArgInFrom"},
		{"ARG a=scratch\nFROM $a", ""},
		{"FROM scratch$a", "1 UndefinedArgInFrom"},
		{"FROM --platform=$BUILDPLATFROM scratch", "1 UndefinedArgInFrom"},
		{"FROM --platform=$BUILDPLATFORM scratch", ""},
		{"ARG a\n# check=skip=UndefinedArgInFrom\nFROM scratch$b", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__invalid_default_arg_in_from)
{
	static const example examples[] = {
		{"ARG a\nFROM x:$a", "2 InvalidDefaultArgInFrom"},
		{"ARG a=1\nFROM none:$a", ""},
		{"ARG a\nFROM none:${a:-1}", ""},
		{"# check=skip=InvalidDefaultArgInFrom\nARG a\nFROM x:$a", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__default_args_are_looked_at_whatever_is_given)
{
	ob_autodone(plan_fixture) f = {0};

	plan_arg(&f, "a=1");
	check(&f, "ARG a\nFROM x:$a", "2 InvalidDefaultArgInFrom");
}

TEST(check__platform_of_from)
{
	static const example examples[] = {
		{"FROM --platform=$TARGETPLATFORM scratch", "1 RedundantTargetPlatform"},
		{"FROM --platform=${TARGETPLATFORM} scratch", "1 RedundantTargetPlatform"},
		{"FROM --platform=$BUILDPLATFORM scratch", ""},
		{"# check=skip=RedundantTargetPlatform\nFROM --platform=$TARGETPLATFORM scratch",
		 ""},
		{"FROM --platform=linux/arm64 scratch AS a", "1 FromPlatformFlagConstDisallowed"},
		{"FROM --platform=linux/arm64 scratch AS a-arm64", ""},
		{"FROM --platform=linux/arm64 scratch AS my-linux", ""},
		{"ARG a=linux/arm64\nFROM --platform=$a scratch", ""},
		{"# check=skip=FromPlatformFlagConstDisallowed\nFROM --platform=linux/arm64 scratch",
		 ""},
	};
	CHECK_ALL(examples);
}

TEST(check__workdir_relative_path)
{
	static const example examples[] = {
		{"FROM scratch\nWORKDIR a\nWORKDIR b", "2 WorkdirRelativePath"},
		{"FROM scratch\nWORKDIR /a\nWORKDIR b", ""},
		{"FROM scratch AS a\nWORKDIR /x\nFROM a\nWORKDIR b", ""},
		{"FROM scratch\nENV a=/x\nWORKDIR $a", ""},
		{"FROM scratch\n# check=skip=WorkdirRelativePath\nWORKDIR a", ""},
	};
	CHECK_ALL(examples);
}

TEST(check__expose)
{
	static const example examples[] = {
		{"FROM scratch\nEXPOSE 80/TCP 81/udp 82", "2 ExposeProtoCasing"},
		{"FROM scratch\nEXPOSE 80:80 127.0.0.1:81:81 127.0.0.1::82",
		 "2 ExposeInvalidFormat, 2 ExposeInvalidFormat, 2 ExposeInvalidFormat"},
		{"FROM scratch\nEXPOSE :80 ::81 82-84", ""},
		{"FROM scratch\n# check=skip=ExposeProtoCasing,ExposeInvalidFormat\n"
		 "EXPOSE 1:80/TCP",
		 ""},
	};
	CHECK_ALL(examples);
}

TEST(check__copy_ignored_file)
{
	static const example examples[] = {
		{"FROM scratch\nCOPY a.log /\nADD sub/dir/x ok /",
		 "2 CopyIgnoredFile, 3 CopyIgnoredFile"},
		{"FROM scratch\nCOPY . /\nCOPY ok /", ""},
		{"FROM scratch AS s\nFROM scratch\nCOPY --from=s a.log /\nCOPY <<a.log /\na.log\n",
		 ""},
		{"FROM scratch\n# check=skip=CopyIgnoredFile\nCOPY ./a.log /", ""},
	};
	ob_autodone(plan_fixture) f = {0};

	plan_write(&f, "context/.dockerignore", "*.log\nsub\n");
	for (size_t i = 0; i < OB_ARRAY_LEN(examples); i++)
		check(&f, examples[i].text, examples[i].want);
	plan_write(&f, "context/.dockerignore", "*.log\n!a.log\n");
	check(&f, "FROM scratch\nCOPY b.log /\n", "");
	plan_write(&f, "context/.dockerignore", "**\n");
	check(&f, "FROM scratch\nCOPY . /\n", "2 CopyIgnoredFile");
}

TEST(check__invalid_base_image_platform)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image_for(&f, "foreign", "riscv64", LAYER, "");
	check(&f, "FROM foreign", "1 InvalidBaseImagePlatform");
	check(&f, "FROM scratch\nCOPY --from=foreign / /", "2 InvalidBaseImagePlatform");
	check(&f, "FROM foreign AS a\nFROM scratch", "1 InvalidBaseImagePlatform");
	check(&f, "ARG p=linux/riscv64\nFROM --platform=$p foreign", "");
	check(&f, "# check=skip=InvalidBaseImagePlatform\nFROM foreign", "");
}

TEST(check__triggers_are_shown_at_the_from_that_brings_them)
{
	ob_autodone(plan_fixture) f = {0};

	plan_add_image(&f, "base",
		       "\"OnBuild\":[\"USER $nobody\",\"env a b\",\"CMD x\"],\"Env\":[\"K=1\"]");
	check(&f, "FROM base\nUSER $K",
	      "1 UndefinedVar, 1 LegacyKeyValueFormat, 1 JSONArgsRecommended");
}

TEST(check__a_base_that_is_missing_does_not_end_it)
{
	ob_autodone(plan_fixture) f = {0};

	check(&f,
	      "FROM none AS a\nUSER $K\nFROM a\nWORKDIR x\nCMD y\nCOPY --from=none2 / /\n"
	      "EXPOSE 1/TCP",
	      "4 WorkdirRelativePath, 5 JSONArgsRecommended, 7 ExposeProtoCasing");
	assert_non_null(f.plan->missing);
	assert_int_equal(ocib_error_line(f.plan->missing), 1);
}

TEST(check__all_stages_unless_there_is_a_target)
{
	ob_autodone(plan_fixture) f = {0};
	static const char text[] = "FROM scratch AS a\nCMD x\nFROM scratch AS b\nCMD y\n";

	check(&f, text, "2 JSONArgsRecommended, 4 JSONArgsRecommended");
	f.options.target = "a";
	check(&f, text, "2 JSONArgsRecommended");
}

TEST(check__what_comes_before_an_error_is_kept)
{
	static const example examples[] = {
		{"FROM scratch as A\nMAINTAINER x\nNONSENSE",
		 "1 StageNameCasing, 1 FromAsCasing, 2 "
		 "MaintainerDeprecated"},
		{"FROM scratch\nCMD x\nUSER ${\nCMD y", "2 JSONArgsRecommended"},
	};
	CHECK_ALL(examples);
}

TEST(check__error_true_is_an_error_at_the_first_finding)
{
	ob_autodone(plan_fixture) f = {0};
	ob_autodone(ob_findings) findings = {0};
	static const char text[] = "# check=error=true\nFROM scratch\nCMD x\nUSER $y\nCMD z\n";

	plan_open(&f);
	ASSERT_OK(ob_dockerfile_parse_checked("Dockerfile", text, strlen(text), &findings,
					      &f.dockerfile, &t_err));
	ASSERT_OK(ob_findings_verdict(&findings, f.dockerfile, &t_err));
	f.options.findings = &findings;
	ASSERT_OK(ob_plan_make(f.ctx, f.images, f.dockerfile, &f.options, &f.plan, &t_err));
	ob_findings_sort(&findings);
	assert_int_equal(ob_findings_verdict(&findings, f.dockerfile, &t_err), OCIB_ERR_SYNTAX);
	assert_int_equal(ocib_error_line(t_err), 3);
	assert_non_null(
		strstr(ocib_error_message(t_err),
		       "JSONArgsRecommended, MultipleInstructionsDisallowed, UndefinedVar"));
}

TEST(check__options_of_the_file_are_refused_at_their_line)
{
	ob_autodone(ob_findings) findings = {0};
	ob_auto(ob_dockerfile) file = NULL;
	static const char text[] = "# escape=`\n# check=skip=A; error=true\nFROM scratch\n";

	assert_int_equal(ob_dockerfile_parse_checked("Dockerfile", text, strlen(text), &findings,
						     &file, &t_err),
			 OCIB_ERR_SYNTAX);
	assert_int_equal(ocib_error_line(t_err), 2);
	t_err = ocib_error_free(t_err);
	/* Those that are given from outside stand in for them. */
	ASSERT_OK(ob_findings_set_options(&findings, "skip=all", &t_err));
	ASSERT_OK(ob_dockerfile_parse_checked("Dockerfile", text, strlen(text), &findings, &file,
					      &t_err));
}
