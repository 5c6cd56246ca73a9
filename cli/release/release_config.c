/* cli/release/release_config.c — tables of keys, and what each does with its value.
 *
 * A mapping is read by one table; a handler gets the value's node and the place it goes to. So the list
 * of keys that exist is the list of keys that are read, which is what the nearest name comes from.
 */
#include <string.h>
#include "../cli.h"
#include "release_config.h"
#include "release_paths.h"
#include "release_tags.h"

typedef struct config_reader {
	text_pool *pool;
	config_problem *problem;
} config_reader;

typedef bool (*value_reader)(config_reader *r, const yaml_tree *value, void *at);

typedef struct config_key {
	const char *name;
	value_reader read;
	size_t offset;
} config_key;

static bool fail_kind(config_reader *r, const yaml_tree *value, const char *wanted)
{
	return config_fail(r->problem, value->line, "'%.60s' needs %s, not %s",
			   value->key ? value->key : "an item", wanted,
			   yaml_tree_is_null(value) ? "nothing" : yaml_tree_describe(value));
}

/* --- values --- */

static bool read_text(config_reader *r, const yaml_tree *value, void *at)
{
	if (value->kind != YAML_TREE_SCALAR || yaml_tree_is_null(value) || !*value->text)
		return fail_kind(r, value, "a value");
	if (strpbrk(value->text, "\n\r"))
		return config_fail(r->problem, value->line, "'%.60s' has more than one line",
				   value->key ? value->key : "an item");
	*(const char **)at = value->text;
	return true;
}

static bool read_bool(config_reader *r, const yaml_tree *value, void *at)
{
	bool yes = value->kind == YAML_TREE_SCALAR && strcmp(value->text, "true") == 0;

	if (!yes && (value->kind != YAML_TREE_SCALAR || strcmp(value->text, "false") != 0))
		return fail_kind(r, value, "true or false");
	*(bool *)at = yes;
	return true;
}

static bool read_list(config_reader *r, const yaml_tree *value, void *at)
{
	text_list list = {0};

	if (value->kind != YAML_TREE_SEQUENCE)
		return fail_kind(r, value, "a list");
	for (const yaml_tree *one = value->first; one; one = one->next) {
		const char *text = NULL;

		if (!read_text(r, one, &text))
			return false;
		text_list_add(r->pool, &list, text);
	}
	*(text_list *)at = list;
	return true;
}

/* "KEY: value" to "KEY=value". */
static bool read_pairs(config_reader *r, const yaml_tree *value, void *at)
{
	text_list list = {0};

	if (value->kind != YAML_TREE_MAPPING)
		return fail_kind(r, value, "a mapping of names to values");
	for (const yaml_tree *one = value->first; one; one = one->next) {
		if (!*one->key || strchr(one->key, '='))
			return config_fail(r->problem, one->key_line, "'%.60s' is no name",
					   one->key);
		if (one->kind != YAML_TREE_SCALAR)
			return fail_kind(r, one, "a value");
		text_list_add(r->pool, &list,
			      text_printf(r->pool, "%s=%s", one->key,
					  yaml_tree_is_null(one) ? "" : one->text));
	}
	*(text_list *)at = list;
	return true;
}

/* The same, and "KEY:" alone, whose value is the environment's. */
static bool read_build_args(config_reader *r, const yaml_tree *value, void *at)
{
	text_list *list = at;

	if (!read_pairs(r, value, at))
		return false;
	size_t i = 0;
	for (const yaml_tree *one = value->first; one && i < list->len; one = one->next, i++)
		if (yaml_tree_is_null(one))
			list->items[i] = one->key;
	return true;
}

/* "ID: env=VARIABLE" or "ID: src=FILE", to what build --secret takes. */
static bool read_secrets(config_reader *r, const yaml_tree *value, void *at)
{
	text_list list = {0};

	if (value->kind != YAML_TREE_MAPPING)
		return fail_kind(r, value, "a mapping of ids to env=VARIABLE or src=FILE");
	for (const yaml_tree *one = value->first; one; one = one->next) {
		const char *text = one->kind == YAML_TREE_SCALAR ? one->text : "";
		bool known = strncmp(text, "env=", 4) == 0 || strncmp(text, "src=", 4) == 0;

		if (!known || !text[4] || strpbrk(text, ",\n\r"))
			return config_fail(r->problem, one->line,
					   "secret '%.60s' is env=VARIABLE or src=FILE; its value "
					   "is never in this file",
					   one->key);
		if (!*one->key || strpbrk(one->key, ",=\n\r"))
			return config_fail(r->problem, one->key_line, "'%.60s' is no name",
					   one->key);
		text_list_add(r->pool, &list, text_printf(r->pool, "id=%s,%s", one->key, text));
	}
	*(text_list *)at = list;
	return true;
}

static bool read_ignore(config_reader *r, const yaml_tree *value, void *at)
{
	text_list *list = at;

	if (!read_list(r, value, at))
		return false;
	size_t i = 0;
	for (const yaml_tree *one = value->first; one && i < list->len; one = one->next, i++) {
		const char *wrong = release_pattern_check(list->items[i]);

		if (wrong)
			return config_fail(r->problem, one->line, "pattern '%.60s': %s",
					   list->items[i], wrong);
	}
	return true;
}

static bool read_name(config_reader *r, const yaml_tree *value, void *at)
{
	if (!read_text(r, value, at))
		return false;
	const char *wrong = release_name_check(value->text);
	if (!wrong)
		return true;
	return config_fail(r->problem, value->line, "'%.60s': '%.60s' %s", value->key, value->text,
			   wrong);
}

static bool read_template(config_reader *r, const yaml_tree *value, void *at)
{
	char why[200];

	if (!read_text(r, value, at))
		return false;
	if (release_tag_check(*(const char **)at, why, sizeof(why)))
		return true;
	return config_fail(r->problem, value->line, "'%.60s': %s", value->key, why);
}

static bool read_version_tag(config_reader *r, const yaml_tree *value, void *at)
{
	if (!read_template(r, value, at))
		return false;
	if (strchr(value->text, '{'))
		return true;
	return config_fail(
		r->problem, value->line,
		"'%.60s' needs something that changes, like {commit} or {date}-{time}; a "
		"version tag is never moved",
		value->key);
}

static bool read_moving_tag(config_reader *r, const yaml_tree *value, void *at)
{
	if (!read_template(r, value, at))
		return false;
	if (!strchr(value->text, '{'))
		return true;
	return config_fail(r->problem, value->line, "'%.60s' is one fixed tag, not '%.60s'",
			   value->key, value->text);
}

static bool read_compression(config_reader *r, const yaml_tree *value, void *at)
{
	static const char *const known[] = {"gzip", "zstd", "uncompressed"};

	if (!read_text(r, value, at))
		return false;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], value->text) == 0)
			return true;
	return config_fail(r->problem, value->line,
			   "'compression' is gzip, zstd or uncompressed, not '%.60s'", value->text);
}

/* --- mappings --- */

static bool fail_unknown(config_reader *r, const yaml_tree *member, const config_key *keys,
			 size_t count)
{
	cli_nearest_state near = {0};

	for (size_t i = 0; i < count; i++)
		cli_nearest(member->key, strlen(member->key), keys[i].name, &near);
	return config_fail(r->problem, member->key_line, "unknown key '%.60s'%s%s%s", member->key,
			   near.name ? " (did you mean '" : "", near.name ? near.name : "",
			   near.name ? "'?)" : "");
}

static bool read_members(config_reader *r, const yaml_tree *mapping, const config_key *keys,
			 size_t count, void *at)
{
	if (mapping->kind != YAML_TREE_MAPPING)
		return fail_kind(r, mapping, "a mapping");
	for (const yaml_tree *one = mapping->first; one; one = one->next) {
		size_t i = 0;

		while (i < count && strcmp(keys[i].name, one->key) != 0)
			i++;
		if (i == count)
			return fail_unknown(r, one, keys, count);
		if (!keys[i].read(r, one, (char *)at + keys[i].offset))
			return false;
	}
	return true;
}
#define READ_MEMBERS(r, mapping, keys, at) \
	read_members((r), (mapping), (keys), sizeof(keys) / sizeof((keys)[0]), (at))

#define IMAGE(field) offsetof(release_image, field)
static const config_key image_keys[] = {
	{"name", read_name, IMAGE(name)},
	{"dockerfile", read_text, IMAGE(dockerfile)},
	{"context", read_text, IMAGE(context)},
	{"target", read_text, IMAGE(target)},
	{"tag", read_version_tag, IMAGE(tag)},
	{"latest", read_moving_tag, IMAGE(latest)},
	{"platforms", read_list, IMAGE(platforms)},
	{"build-args", read_build_args, IMAGE(build_args)},
	{"build-contexts", read_pairs, IMAGE(build_contexts)},
	{"secrets", read_secrets, IMAGE(secrets)},
	{"labels", read_pairs, IMAGE(labels)},
	{"annotations", read_pairs, IMAGE(annotations)},
	{"compression", read_compression, IMAGE(compression)},
	{"cache", read_bool, IMAGE(cache)},
};

static bool read_image(config_reader *r, const yaml_tree *value, void *at)
{
	release_image *image = at;

	if (!READ_MEMBERS(r, value, image_keys, image))
		return false;
	for (size_t i = 0; i < image->platforms.len; i++)
		image->platform = i ? text_printf(r->pool, "%s,%s", image->platform,
						  image->platforms.items[i])
				    : image->platforms.items[0];
	return true;
}

static const config_key images_keys[] = {
	{"runtime", read_image, offsetof(release_config, runtime)},
	{"app", read_image, offsetof(release_config, app)},
};

static bool read_images(config_reader *r, const yaml_tree *value, void *at)
{
	return READ_MEMBERS(r, value, images_keys, at);
}

#define REGISTRY(field) offsetof(release_registry_entry, field)
static const config_key registry_keys[] = {
	{"address", read_text, REGISTRY(address)},
	{"username-env", read_text, REGISTRY(username_env)},
	{"password-env", read_text, REGISTRY(password_env)},
	{"ca-cert", read_text, REGISTRY(ca_cert)},
	{"plain-http", read_bool, REGISTRY(plain_http)},
};

/* An address alone, or a mapping. */
static bool read_registry(config_reader *r, const yaml_tree *value, release_registry_entry *out)
{
	out->line = value->line;
	if (value->kind == YAML_TREE_SCALAR)
		return read_text(r, value, &out->address);
	if (!READ_MEMBERS(r, value, registry_keys, out))
		return false;
	if (!out->address)
		return config_fail(r->problem, value->line, "a registry needs an 'address'");
	if (!out->username_env != !out->password_env)
		return config_fail(r->problem, value->line,
				   "'username-env' and 'password-env' come together");
	return true;
}

static bool read_registries(config_reader *r, const yaml_tree *value, void *at)
{
	release_config *config = at;
	size_t count = 0;

	if (value->kind != YAML_TREE_SEQUENCE)
		return fail_kind(r, value, "a list");
	for (const yaml_tree *one = value->first; one; one = one->next)
		count++;
	config->registries = text_pool_alloc(r->pool, count * sizeof(*config->registries));
	if (!config->registries)
		return config_fail(r->problem, 0, "out of memory");
	for (const yaml_tree *one = value->first; one; one = one->next)
		if (!read_registry(r, one, &config->registries[config->registry_count++]))
			return false;
	return true;
}

static const config_key top_keys[] = {
	{"images", read_images, 0},
	{"registries", read_registries, 0},
	{"ignore", read_ignore, offsetof(release_config, ignore)},
	{"labels", read_pairs, offsetof(release_config, labels)},
};

/* --- the whole --- */

static const char *const default_ignore[] = {
	"**/*.md",        "**/*.rst",          "docs/**",          "LICENSE*",   "NOTICE*",
	"CODEOWNERS",     ".github/**",        ".gitlab/**",       ".gitea/**",  ".forgejo/**",
	".woodpecker/**", ".gitlab-ci.yml",    ".woodpecker.yml",  ".drone.yml", "Jenkinsfile",
	"**/.gitignore",  "**/.gitattributes", "**/.editorconfig", ".vscode/**", ".idea/**",
};

void release_config_defaults(text_pool *pool, release_config *out)
{
	*out = (release_config){
		.runtime = {.key = "runtime",
			    .name = "runtime",
			    .dockerfile = "build/Dockerfile.runtime",
			    .context = ".",
			    .tag = "v{date}-{time}",
			    .latest = "latest",
			    .cache = true},
		.app = {.key = "app",
			.name = "app",
			.dockerfile = "build/Dockerfile.app",
			.context = ".",
			.tag = "{commit}",
			.latest = "latest",
			.cache = true},
	};
	for (size_t i = 0; i < sizeof(default_ignore) / sizeof(default_ignore[0]); i++)
		text_list_add(pool, &out->ignore, default_ignore[i]);
}

/* What only makes sense together. A version tag has something that changes, so it is never the moving one. */
static bool check(const release_config *config, config_problem *problem)
{
	if (strcmp(config->runtime.name, config->app.name) == 0)
		return config_fail(problem, 0, "both images have the name '%.60s'",
				   config->app.name);
	return true;
}

bool release_config_parse(text_pool *pool, const char *data, size_t len, release_config *out,
			  config_problem *problem)
{
	config_reader r = {pool, problem};
	yaml_tree *root = NULL;

	release_config_defaults(pool, out);
	out->has_file = true;
	if (!yaml_tree_parse(pool, data, len, &root, problem))
		return false;
	if (root && !yaml_tree_is_null(root)) {
		if (root->kind != YAML_TREE_MAPPING)
			return config_fail(problem, root->line,
					   "a configuration is a mapping, like 'images:', not %s",
					   yaml_tree_describe(root));
		if (!READ_MEMBERS(&r, root, top_keys, out))
			return false;
	}
	if (!check(out, problem))
		return false;
	return text_pool_ok(pool) ? true : config_fail(problem, 0, "out of memory");
}
