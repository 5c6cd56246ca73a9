/* cli/release/release_target.c — addresses as people write them, and secrets as CI systems hand them over.
 *
 * Secrets are held in memory, told to the library's context, and never printed. What CI systems do to
 * secrets is met here: one that does not exist is empty, one that was pasted ends in a newline.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../cli.h"
#include "release_ci.h"
#include "release_tags.h"
#include "release_target.h"

#define URL_VARIABLE      "DOCKER_REGISTRY_URL"
#define USERNAME_VARIABLE "DOCKER_USERNAME"
#define PASSWORD_VARIABLE "DOCKER_PASSWORD"

static int fail(int status, const char *message)
{
	ci_annotate_text(NULL, 0, message);
	fprintf(stderr, "ocibuild: error: %s\n", message);
	return status;
}

/* --- addresses --- */

static const char *trim(text_pool *pool, const char *text)
{
	size_t len;

	text += strspn(text, " \t\r\n");
	for (len = strlen(text); len && strchr(" \t\r\n/", text[len - 1]);)
		len--;
	return text_copy(pool, text, len);
}

static bool is_hub(const char *host)
{
	static const char *const names[] = {"docker.io", "index.docker.io", "registry-1.docker.io",
					    "hub.docker.com", "registry.hub.docker.com"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], host) == 0)
			return true;
	return false;
}

static const char *lower(text_pool *pool, const char *text, size_t len)
{
	char *copy = text_pool_alloc(pool, len + 1);

	for (size_t i = 0; copy && i < len; i++)
		copy[i] = (char)tolower((unsigned char)text[i]);
	return copy ? copy : "";
}

/* NAME[:PORT] or [IPv6][:PORT]; one word alone could as well be a namespace of Docker Hub. */
static bool is_host(const char *host)
{
	size_t name = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	const char *port = name <= strlen(host) ? host + name : "";
	const char *letters =
		*host == '[' ? "0123456789abcdef:.[]" : "abcdefghijklmnopqrstuvwxyz0123456789.-";

	if (!name || strspn(host, letters) < name)
		return false;
	if (*port &&
	    (*port != ':' || !port[1] || strspn(port + 1, "0123456789") != strlen(port + 1)))
		return false;
	return *port || *host == '[' || memchr(host, '.', name) || strcmp(host, "localhost") == 0;
}

/* "https://index.docker.io/v1" and its kin name the API, not a namespace. */
static const char *without_version(const char *path)
{
	return strcmp(path, "v1") == 0 || strcmp(path, "v2") == 0 ? "" : path;
}

static int parse_address(text_pool *pool, const char *what, const char *given, release_target *out,
			 const char **path)
{
	const char *text = trim(pool, given);

	if (strncasecmp(text, "http://", 7) == 0)
		out->plain_http = true;
	if (strstr(text, "://")) {
		if (strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0)
			return fail(EXIT_USAGE, text_printf(pool,
							    "%s: only http:// and https:// "
							    "may be in front of an address",
							    what));
		text = strstr(text, "://") + 3;
	}
	if (strchr(text, '@'))
		return fail(EXIT_USAGE,
			    text_printf(pool,
					"%s: no user and no password in the address; they go "
					"into " USERNAME_VARIABLE " and " PASSWORD_VARIABLE,
					what));
	size_t len = strcspn(text, "/");
	out->host = lower(pool, text, len);
	*path = text[len] ? without_version(text + len + 1) : "";
	if (!is_host(out->host))
		return fail(EXIT_USAGE,
			    text_printf(pool,
					"%s: '%s' is no registry's address, like docker.io/%s, "
					"ghcr.io/team or registry.example:5000",
					what, text,
					release_name_check(out->host) ? "user" : out->host));
	if (is_hub(out->host))
		out->host = "docker.io";
	return EXIT_OK;
}

/* The namespace below the host; repository names have no capitals, people's names have. */
static int set_prefix(text_pool *pool, const char *what, const char *path, release_target *out,
		      text_list *notes)
{
	const char *space = lower(pool, path, strlen(path));

	if (strcmp(out->host, "docker.io") == 0 && !*space) {
		if (!out->username)
			return fail(
				EXIT_USAGE,
				text_printf(
					pool,
					"%s is docker.io without a namespace, and " USERNAME_VARIABLE
					" gives none; write docker.io/NAMESPACE",
					what));
		space = lower(pool, out->username, strlen(out->username));
		text_list_add(pool, notes,
			      text_printf(pool,
					  "docker.io: the user name is the namespace: "
					  "docker.io/%s",
					  space));
	} else if (strcmp(space, path) != 0) {
		text_list_add(pool, notes,
			      text_printf(pool,
					  "%s/%s: names are lower-case in a registry, so it is "
					  "%s/%s",
					  out->host, path, out->host, space));
	}
	if (*space && release_name_check(space))
		return fail(EXIT_USAGE, text_printf(pool, "%s: the namespace '%s' %s", what, space,
						    release_name_check(space)));
	out->prefix = *space ? text_printf(pool, "%s/%s", out->host, space) : out->host;
	return EXIT_OK;
}

/* --- secrets --- */

/* A copy of a variable's value without newlines at its end; NULL: not set or empty. */
static char *take_secret(text_pool *pool, const char *name, text_list *notes)
{
	const char *value = getenv(name);
	size_t len = value ? strlen(value) : 0, whole = len;

	while (len && strchr("\r\n", value[len - 1]))
		len--;
	char *copy = len ? strndup(value, len) : NULL;
	if (len && !copy)
		pool->failed = true;
	if (len && len < whole)
		text_list_add(pool, notes,
			      text_printf(pool,
					  "%s ends in a newline, which is not taken as part of it",
					  name));
	return copy;
}

/* What git, the worker and /proc/PID/environ would show. */
static void forget(const char *name)
{
	char *value = name ? getenv(name) : NULL;

	if (value)
		explicit_bzero(value, strlen(value));
	if (value)
		(void)unsetenv(name);
}

static const char *how_missing(const char *name)
{
	return getenv(name) ? "empty" : "not set";
}

static int take_credentials(text_pool *pool, const char *username_name, const char *password_name,
			    release_target *out, text_list *notes)
{
	const char *username_state = how_missing(username_name);
	const char *password_state = how_missing(password_name);

	out->username = take_secret(pool, username_name, notes);
	out->password = take_secret(pool, password_name, notes);
	if (!out->username && !out->password && getenv(username_name) && getenv(password_name))
		text_list_add(pool, notes,
			      text_printf(pool,
					  "%s and %s are empty, so Docker's config.json counts",
					  username_name, password_name));
	if (!out->username == !out->password)
		return EXIT_OK;
	return fail(EXIT_NETWORK,
		    text_printf(pool,
				"%s is %s, but %s is there; a secret that does not exist, or "
				"that this run may not see, is empty in most CI systems",
				out->username ? password_name : username_name,
				out->username ? password_state : username_state,
				out->username ? username_name : password_name));
}

/* --- all of them --- */

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Credentials belong to a host, so two registries of one host have the same or only one has any. */
static int check_pair(text_pool *pool, const char *what, const release_target *one,
		      const release_target *other)
{
	if (strcmp(one->prefix, other->prefix) == 0)
		return fail(EXIT_USAGE, text_printf(pool, "%s: the registry '%s' is there twice",
						    what, other->prefix));
	if (strcmp(one->host, other->host) != 0 || !one->password || !other->password)
		return EXIT_OK;
	if (same_text(one->username, other->username) && same_text(one->password, other->password))
		return EXIT_OK;
	return fail(EXIT_USAGE,
		    text_printf(pool, "%s: two different credentials for the one host %s", what,
				other->host));
}

static int add_target(text_pool *pool, const char *what, const release_registry_entry *entry,
		      release_targets *out)
{
	release_target *target = &out->items[out->len];
	const char *path = "";
	int status;

	*target = (release_target){.ca_cert = entry->ca_cert, .plain_http = entry->plain_http};
	out->len++;
	status = parse_address(pool, what, entry->address, target, &path);
	if (status == EXIT_OK && entry->username_env)
		status = take_credentials(pool, entry->username_env, entry->password_env, target,
					  &out->notes);
	if (status == EXIT_OK)
		status = set_prefix(pool, what, path, target, &out->notes);
	for (size_t i = 0; status == EXIT_OK && i + 1 < out->len; i++)
		status = check_pair(pool, what, &out->items[i], target);
	return status;
}

static int fail_no_registry(text_pool *pool)
{
	return fail(EXIT_USAGE,
		    text_printf(pool,
				"no registry to release to: " URL_VARIABLE " is %s, and there is "
				"no 'registries' in " RELEASE_CONFIG_FILE,
				how_missing(URL_VARIABLE)));
}

static int find_targets(text_pool *pool, const release_config *config, release_targets *out)
{
	const char *url = getenv(URL_VARIABLE);
	bool has_url = url && *trim(pool, url);
	size_t count = config->registry_count + has_url;
	int status = EXIT_OK;

	if (!count)
		return fail_no_registry(pool);
	out->items = text_pool_alloc(pool, count * sizeof(*out->items));
	if (!out->items)
		return fail(EXIT_OTHER, "out of memory");
	if (has_url) {
		const release_registry_entry entry = {.address = url,
						      .username_env = USERNAME_VARIABLE,
						      .password_env = PASSWORD_VARIABLE};
		status = add_target(pool, URL_VARIABLE, &entry, out);
	}
	for (size_t i = 0; i < config->registry_count && status == EXIT_OK; i++) {
		release_registry_entry entry = config->registries[i];

		/* One registry and one pair of credentials belong together; of several, who knows. */
		if (count == 1 && !entry.username_env) {
			entry.username_env = USERNAME_VARIABLE;
			entry.password_env = PASSWORD_VARIABLE;
		}
		status = add_target(pool, text_printf(pool, RELEASE_CONFIG_FILE ":%u", entry.line),
				    &entry, out);
	}
	return status == EXIT_OK && !text_pool_ok(pool) ? fail(EXIT_OTHER, "out of memory")
							: status;
}

int release_targets_find(text_pool *pool, const release_config *config, release_targets *out)
{
	int status = find_targets(pool, config, out);

	forget(PASSWORD_VARIABLE);
	for (size_t i = 0; i < config->registry_count; i++)
		forget(config->registries[i].password_env);
	return status;
}

void release_targets_done(release_targets *targets)
{
	for (size_t i = 0; i < targets->len; i++) {
		release_target *one = &targets->items[i];

		if (one->password)
			explicit_bzero(one->password, strlen(one->password));
		free(one->password);
		free(one->username);
	}
	*targets = (release_targets){0};
}

/* Is another of the same host the one with credentials? */
static bool is_told(const release_targets *targets, size_t index)
{
	const release_target *one = &targets->items[index];

	for (size_t i = 0; i < targets->len && !one->password; i++)
		if (targets->items[i].password && strcmp(targets->items[i].host, one->host) == 0)
			return true;
	return false;
}

ocib_errc release_targets_tell(const release_targets *targets, ocib_context *ctx, ocib_error **err)
{
	ocib_errc rc = OCIB_OK;

	for (size_t i = 0; i < targets->len && rc == OCIB_OK; i++) {
		const release_target *one = &targets->items[i];
		ocib_registry_access access = OCIB_REGISTRY_ACCESS_INIT;

		if (is_told(targets, i))
			continue;
		access.host = one->host;
		access.username = one->username;
		access.password = one->password;
		access.plain_http = one->plain_http;
		access.ca_cert = one->ca_cert;
		rc = ocib_context_add_registry(ctx, &access, err);
	}
	return rc;
}
