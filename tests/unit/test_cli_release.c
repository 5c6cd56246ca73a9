/* test_cli_release.c — ocibuild.yaml of any shape, tags from templates, patterns, registry addresses. */
#include "cli/release/release_config.h"
#include "cli/release/release_paths.h"
#include "cli/release/release_tags.h"
#include "cli/release/release_target.h"
#include "harness.h"

#define COMMIT "0123456789abcdef0123456789abcdef01234567"

/* ---- The configuration. ---- */

static text_pool pool;
static release_config config;
static config_problem problem;

static bool parse(const char *text)
{
	text_pool_done(&pool);
	problem = (config_problem){0};
	return release_config_parse(&pool, text, strlen(text), &config, &problem);
}

static void assert_wrong(const char *text, unsigned line, const char *message)
{
	assert_false(parse(text));
	if (problem.line != line || !strstr(problem.text, message))
		fail_msg("'%s': line %u '%s', wanted line %u '%s'", text, problem.line,
			 problem.text, line, message);
	text_pool_done(&pool);
}

TEST(config__nothing_in_it_is_the_defaults)
{
	static const char *const texts[] = {"",      "\n",     "# only\n",
					    "---\n", "null\n", "images: {}\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!parse(texts[i]))
			fail_msg("'%s': %s", texts[i], problem.text);
		assert_string_equal(config.runtime.dockerfile, "build/Dockerfile.runtime");
		assert_string_equal(config.runtime.tag, "v{date}-{time}");
		assert_string_equal(config.app.dockerfile, "build/Dockerfile.app");
		assert_string_equal(config.app.tag, "{commit}");
		assert_string_equal(config.app.latest, "latest");
		assert_true(config.app.cache);
	}
	text_pool_done(&pool);
}

TEST(config__values_come_through)
{
	assert_true(
		parse("images:\n  app:\n    name: web\n    cache: false\n    build-args:\n"
		      "      A: 1\n      HTTP_PROXY:\n    platforms: [linux/arm64, linux/amd64]\n"
		      "    secrets: {token: env=TOKEN, netrc: src=a/b}\n"
		      "registries:\n- ghcr.io/x\n- address: r.example\n  plain-http: true\n"
		      "ignore: [a/**]\n"));
	assert_string_equal(config.app.name, "web");
	assert_false(config.app.cache);
	assert_string_equal(config.app.build_args.items[0], "A=1");
	assert_string_equal(config.app.build_args.items[1], "HTTP_PROXY");
	assert_string_equal(config.app.platform, "linux/arm64,linux/amd64");
	assert_int_equal(config.registry_count, 2);
	assert_string_equal(config.registries[0].address, "ghcr.io/x");
	assert_true(config.registries[1].plain_http);
	assert_int_equal(config.registries[1].line, 12);
	assert_int_equal(config.app.secrets.len, 2);
	assert_string_equal(config.app.secrets.items[0], "id=token,env=TOKEN");
	assert_string_equal(config.app.secrets.items[1], "id=netrc,src=a/b");
	assert_int_equal(config.ignore.len, 1);
	text_pool_done(&pool);
}

TEST(config__unknown_keys_have_a_line_and_a_nearest_name)
{
	assert_wrong("imags: {}\n", 1, "unknown key 'imags' (did you mean 'images'?)");
	assert_wrong("images:\n  app:\n    dockerfil: x\n", 3, "did you mean 'dockerfile'");
	assert_wrong("images:\n  app: {}\n  worker: {}\n", 3, "unknown key 'worker'");
	assert_wrong("registries:\n- address: a.b\n  user-env: x\n", 3, "unknown key 'user-env'");
	assert_wrong("<<: {}\n", 1, "unknown key '<<'");
}

TEST(config__wrong_kinds_of_values)
{
	assert_wrong("- a\n", 1, "a configuration is a mapping");
	assert_wrong("text\n", 1, "a configuration is a mapping");
	assert_wrong("images: [a]\n", 1, "'images' needs a mapping, not a list");
	assert_wrong("images:\n", 1, "'images' needs a mapping, not nothing");
	assert_wrong("images: {app: {name: [x]}}\n", 1, "'name' needs a value, not a list");
	assert_wrong("images: {app: {name: }}\n", 1, "'name' needs a value, not nothing");
	assert_wrong("images: {app: {name: \"a\\nb\"}}\n", 1, "more than one line");
	assert_wrong("images: {app: {cache: maybe}}\n", 1, "true or false");
	assert_wrong("ignore: a\n", 1, "'ignore' needs a list");
	assert_wrong("ignore: [[a]]\n", 1, "'an item' needs a value");
	assert_wrong("labels: {a: {b: c}}\n", 1, "'a' needs a value");
	assert_wrong("labels: {\"a=b\": c}\n", 1, "'a=b' is no name");
	assert_wrong("registries: [{}]\n", 1, "needs an 'address'");
	assert_wrong("registries: [{address: a.b, username-env: U}]\n", 1, "come together");
}

TEST(config__values_that_make_no_sense)
{
	assert_wrong("images: {app: {name: Web}}\n", 1, "no repository name");
	assert_wrong("images: {app: {name: a//b}}\n", 1, "empty part");
	assert_wrong("images: {app: {name: runtime}}\n", 0, "both images have the name");
	assert_wrong("images:\n app:\n  tag: \"{comit}\"\n", 3, "did you mean '{commit}'");
	assert_wrong("images: {app: {tag: \"a b\"}}\n", 1, "letters, digits");
	assert_wrong("images: {app: {tag: \"-{commit}\"}}\n", 1, "letters, digits");
	assert_wrong("images: {app: {tag: fixed}}\n", 1, "something that changes");
	assert_wrong("images:\n app:\n  latest: \"{sha}\"\n", 3, "one fixed tag");
	assert_wrong("images: {app: {compression: bzip2}}\n", 1, "gzip, zstd or uncompressed");
	assert_wrong("images:\n app:\n  secrets:\n   a: b\n", 4, "env=VARIABLE or src=FILE");
	assert_wrong("images: {app: {secrets: {a: env=}}}\n", 1, "env=VARIABLE or src=FILE");
	assert_wrong("images: {app: {secrets: {a: \"env=X,id=b\"}}}\n", 1, "env=VARIABLE");
	assert_wrong("images: {app: {secrets: {a: [env=X]}}}\n", 1, "env=VARIABLE");
	assert_wrong("images: {app: {secrets: [a]}}\n", 1, "a mapping of ids");
	assert_wrong("images: {app: {secrets: {\"a,b\": env=X}}}\n", 1, "'a,b' is no name");
	assert_wrong("ignore:\n- a\n- /b\n", 3, "top of the repository");
	assert_wrong("ignore: [\"[ab]\"]\n", 1, "stand for something else");
}

TEST(config__yaml_of_any_shape)
{
	assert_wrong("a: b\na: c\n", 2, "there twice (see line 1)");
	assert_wrong("a: &x b\n", 1, "anchors and aliases");
	assert_wrong("a: *x\n", 1, "anchors and aliases");
	assert_wrong("a: !!str b\n", 1, "tags are not supported");
	assert_wrong("a: b\n---\nc: d\n", 2, "a second document");
	assert_wrong("? [a]\n: b\n", 1, "a key must be a word");
	assert_wrong("a:\n\tb: c\n", 2, "no YAML");
	assert_wrong("a: \"unfinished\n", 2, "no YAML");
	assert_wrong("a: b: c\n", 1, "no YAML");
	assert_wrong("\"\\0\": x\n", 1, "NUL byte");
	assert_wrong("\"\\e[2J\\x9b\\n\": x\n", 1, "unknown key '?[2J\?\?\?'");
	assert_wrong("\xc3\x28: x\n", 0, "byte 1");
	assert_wrong("[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 1, "nested more than 16 levels");
}

TEST(config__too_much_is_refused)
{
	static char text[2 * 1024 * 1024];

	memset(text, '#', sizeof(text) - 1);
	assert_wrong(text, 0, "bytes");
	memset(text, 0, sizeof(text));
	for (size_t i = 0; i < 10000; i++)
		memcpy(text + 4 * i, "- a\n", 4);
	assert_wrong(text, 5000, "more than 5000 values");
}

/* ---- Tags. ---- */

TEST(tag__from_templates)
{
	text_pool p = {0};

	assert_string_equal(release_tag_format(&p, "v{date}-{time}", "", 1700000000, false),
			    "v20231114-221320");
	assert_string_equal(release_tag_format(&p, "{commit}", COMMIT, 0, false), "0123456");
	assert_string_equal(release_tag_format(&p, "a-{sha}", COMMIT, 0, true),
			    "a-" COMMIT "-dirty");
	assert_true(release_tag_has_shape("v{date}-{time}", "v20231114-221320"));
	assert_false(release_tag_has_shape("v{date}-{time}", "v20231114-221320-dirty"));
	assert_false(release_tag_has_shape("v{date}-{time}", "v2023111-4221320"));
	assert_false(release_tag_has_shape("v{date}-{time}", "latest"));
	text_pool_done(&p);
}

/* ---- Patterns. ---- */

TEST(pattern__stars)
{
	static const struct {
		const char *pattern, *path;
		bool matches;
	} cases[] = {
		{"*.md", "README.md", true},
		{"*.md", "docs/a.md", false},
		{"**/*.md", "README.md", true},
		{"**/*.md", "a/b/c.md", true},
		{"**/*.md", "a/b/cmd", false},
		{"docs/**", "docs/a", true},
		{"docs/**", "docs/a/b", true},
		{"docs/**", "docs", false},
		{"docs/**", "mydocs/a", false},
		{"**", "a/b", true},
		{"**.js", "a/b.js", true},
		{"a/**/b", "a/b", true},
		{"a/**/b", "a/x/y/b", true},
		{"a/**/b", "a/xb", false},
		{"LICENSE*", "LICENSE.txt", true},
		{"LICENSE*", "x/LICENSE", false},
		{"?.c", "a.c", true},
		{"?.c", "/.c", false},
		{"a*b*c", "aXbXc", true},
		{"a*b*c", "aXbX", false},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (release_pattern_match(cases[i].pattern, cases[i].path) != cases[i].matches)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].path);
}

TEST(pattern__the_last_one_decides)
{
	const char *items[] = {"docs/**", "!docs/api/**", "docs/api/README.md", NULL};
	const text_list list = {items, 3};

	assert_true(release_path_is_ignored(&list, "docs/a"));
	assert_false(release_path_is_ignored(&list, "docs/api/a"));
	assert_true(release_path_is_ignored(&list, "docs/api/README.md"));
	assert_false(release_path_is_ignored(&list, "app/main"));
}

TEST(pattern__cannot_take_long)
{
	char path[4000];

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_false(release_pattern_match("**a**a**a**a**a**a**a**a**a**a**a**a**b", path));
}

/* ---- Registries. ---- */

static release_targets targets;

static int find(const char *url, const char *username, const char *password)
{
	static release_config defaults;

	release_targets_done(&targets);
	text_pool_done(&pool);
	release_config_defaults(&pool, &defaults);
	assert_int_equal(setenv("DOCKER_REGISTRY_URL", url, 1), 0);
	(void)(username ? setenv("DOCKER_USERNAME", username, 1) : unsetenv("DOCKER_USERNAME"));
	(void)(password ? setenv("DOCKER_PASSWORD", password, 1) : unsetenv("DOCKER_PASSWORD"));
	return release_targets_find(&pool, &defaults, &targets);
}

static void assert_prefix(const char *url, const char *prefix, size_t notes)
{
	assert_int_equal(find(url, "Me", "secret"), 0);
	assert_int_equal(targets.len, 1);
	assert_string_equal(targets.items[0].prefix, prefix);
	assert_int_equal(targets.notes.len, notes);
	assert_string_equal(targets.items[0].password, "secret");
	assert_null(getenv("DOCKER_PASSWORD"));
	release_targets_done(&targets);
	text_pool_done(&pool);
}

TEST(registry__addresses_as_people_write_them)
{
	assert_prefix("docker.io", "docker.io/me", 1);
	assert_prefix("https://index.docker.io/v1/", "docker.io/me", 1);
	assert_prefix("docker.io/team", "docker.io/team", 0);
	assert_prefix(" ghcr.io/team/\n", "ghcr.io/team", 0);
	assert_prefix("HTTPS://GHCR.io/Team", "ghcr.io/team", 1);
	assert_prefix("http://registry.example:5000/a/b", "registry.example:5000/a/b", 0);
	assert_prefix("localhost", "localhost", 0);
	assert_prefix("[::1]:5000", "[::1]:5000", 0);
}

TEST(registry__addresses_that_are_none)
{
	static const char *const wrong[] = {"team",      "ftp://a.b",  "https://u:p@a.b/x",
					    "a.b/x y",   "https://",   "a.b/../c",
					    "a.b/x:tag", "a b.example"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (find(wrong[i], "me", "secret") != 2)
			fail_msg("'%s' was taken", wrong[i]);
	assert_int_equal(find("", NULL, NULL), 2);
	assert_int_equal(find("docker.io", NULL, NULL), 2);
	release_targets_done(&targets);
	text_pool_done(&pool);
}

TEST(registry__secrets_as_systems_hand_them_over)
{
	assert_int_equal(find("a.b", "me\n", "secret\r\n"), 0);
	assert_string_equal(targets.items[0].username, "me");
	assert_string_equal(targets.items[0].password, "secret");
	assert_int_equal(targets.notes.len, 2);
	assert_int_equal(find("a.b", NULL, NULL), 0);
	assert_null(targets.items[0].username);
	assert_int_equal(find("a.b", "", ""), 0);
	assert_null(targets.items[0].password);
	assert_int_equal(find("a.b", "me", NULL), 6);
	assert_int_equal(find("a.b", "me", "\n"), 6);
	assert_int_equal(find("a.b", "", "secret"), 6);
	release_targets_done(&targets);
	text_pool_done(&pool);
}
