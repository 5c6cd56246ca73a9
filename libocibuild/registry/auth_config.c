/* registry/auth_config.c — who are we at this registry? Docker's config.json says.
 *
 *   { "auths": { "ghcr.io": {"auth": base64(user:password)} },
 *     "credHelpers": { "gcr.io": "gcloud" }, "credsStore": "desktop" }
 *
 * Keys of auths were written by many tools: "https://index.docker.io/v1/", "ghcr.io",
 * "registry.example.org/team". They are compared without scheme, version suffix and trailing slash;
 * a key with a path counts for the repositories below it (as Podman has it), and the longest one
 * wins. No secret leaves this file other than in the result.
 */
#include "registry/auth_config.h"
#include <fcntl.h>
#include <string.h>
#include "base/fds.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/strings.h"
#include "registry/auth_helper.h"
#include "registry/base64.h"

#define HUB_KEY "https://index.docker.io/v1/"

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void ob_credentials_done(ob_credentials *credentials)
{
	free(credentials->username);
	credentials->username = NULL;
	wipe(&credentials->password);
	wipe(&credentials->identity_token);
	wipe(&credentials->registry_token);
}

bool ob_credentials_is_set(const ob_credentials *credentials)
{
	return credentials->username || credentials->identity_token || credentials->registry_token;
}

static bool is_hub(const char *host)
{
	return ob_str_eq(host, "docker.io");
}

/* Length of the part of @p key that counts, *start where it begins. */
static size_t trim_key(const char *key, const char **start)
{
	if (ob_str_starts(key, "https://"))
		key += 8;
	else if (ob_str_starts(key, "http://"))
		key += 7;
	size_t len = strlen(key);
	while (len && key[len - 1] == '/')
		len--;
	if (len > 3 && (!memcmp(key + len - 3, "/v1", 3) || !memcmp(key + len - 3, "/v2", 3)))
		len -= 3;
	*start = key;
	return len;
}

/* How well a key fits host/path: 0 not at all, else the longer the better. */
static size_t key_fit(const char *key, const char *host, const char *path)
{
	const char *at;
	size_t len = trim_key(key, &at), host_len = strcspn(at, "/");

	if (host_len > len)
		host_len = len;
	bool same = (strlen(host) == host_len && !strncasecmp(at, host, host_len)) ||
		    (is_hub(host) &&
		     ((host_len == 15 && !strncasecmp(at, "index.docker.io", 15)) ||
		      (host_len == 20 && !strncasecmp(at, "registry-1.docker.io", 20))));
	if (!same || host_len == len)
		return same ? 1 : 0;
	size_t scope = len - host_len - 1;
	const char *prefix = at + host_len + 1;
	bool below = !strncmp(path, prefix, scope) && (!path[scope] || path[scope] == '/');
	return below ? 1 + scope : 0;
}

static ocib_errc fail_auth(const char *key, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_CORRUPT, "the entry '%s' in auths is no credential", key);
}

static ocib_errc split_auth(const char *key, const char *auth, ob_credentials *out,
			    ocib_error **err)
{
	size_t len = 0;
	char *pair = ob_base64_decode(auth, &len);
	char *colon = pair ? strchr(pair, ':') : NULL;
	ocib_errc rc = OCIB_OK;

	if (!colon || strlen(pair) != len) {
		rc = fail_auth(key, err);
	} else {
		*colon = '\0';
		out->username = strdup(pair);
		out->password = strdup(colon + 1);
		if (!out->username || !out->password)
			rc = ob_fail_nomem(err);
	}
	if (pair)
		explicit_bzero(pair, len);
	free(pair);
	return rc;
}

static int copy_member(const ob_json *entry, const char *name, char **out)
{
	const char *text = ob_json_get_str(entry, name);

	if (!text || !*text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : -1;
}

static ocib_errc take_entry(const char *key, const ob_json *entry, ob_credentials *out,
			    ocib_error **err)
{
	const char *auth = ob_json_get_str(entry, "auth");

	if (copy_member(entry, "identitytoken", &out->identity_token) ||
	    copy_member(entry, "registrytoken", &out->registry_token))
		return ob_fail_nomem(err);
	if (auth && *auth)
		return split_auth(key, auth, out, err);
	if (copy_member(entry, "username", &out->username) ||
	    copy_member(entry, "password", &out->password))
		return ob_fail_nomem(err);
	if (out->username && !out->password)
		return fail_auth(key, err);
	return OCIB_OK;
}

static ocib_errc search_auths(const ob_json *config, const char *host, const char *path,
			      ob_credentials *out, ocib_error **err)
{
	const ob_json *value, *best = NULL;
	const char *key, *best_key = NULL;
	size_t best_fit = 0;

	ob_json_foreach (ob_json_get(config, "auths"), key, value) {
		size_t fit = key_fit(key, host, path);

		if (fit > best_fit) {
			best = value;
			best_key = key;
			best_fit = fit;
		}
	}
	return best ? take_entry(best_key, best, out, err) : OCIB_OK;
}

static const char *find_helper(const ob_json *config, const char *host)
{
	const ob_json *helpers = ob_json_get(config, "credHelpers");
	const char *name = ob_json_get_str(helpers, host);

	if (!name && is_hub(host))
		name = ob_json_get_str(helpers, HUB_KEY);
	if (!name && is_hub(host))
		name = ob_json_get_str(helpers, "index.docker.io");
	if (!name)
		name = ob_json_get_str(config, "credsStore");
	return name && *name ? name : NULL;
}

/* A helper that does not work must not stop an anonymous pull: say so and go on. */
static ocib_errc ask_helper(ocib_context *ctx, const char *name, const char *host,
			    ob_credentials *out, ocib_error **err)
{
	ob_auto(ocib_error) failure = NULL;
	ocib_errc rc = ob_auth_helper_get(ctx, name, is_hub(host) ? HUB_KEY : host, out, &failure);

	if (rc == OCIB_ERR_CANCELED || rc == OCIB_ERR_NOMEM)
		return ob_error_move(err, &failure);
	if (rc)
		ob_emit_warning(ctx, NULL, 0, "%s", ocib_error_message(failure));
	return OCIB_OK;
}

static ocib_errc read_config(const char *dir, ob_json **out, char **path, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_DOCKER_CONFIG, "config.json");

	*path = ob_str_printf("%s/config.json", dir);
	if (!*path)
		return ob_fail_nomem(err);
	ocib_errc rc = ob_read_file(AT_FDCWD, *path, &text, err);
	if (!rc)
		rc = ob_json_parse(text.data ? text.data : "", text.len, out, err);
	if (text.data)
		explicit_bzero(text.data, text.len);
	return rc;
}

ocib_errc ob_credentials_load(ocib_context *ctx, const char *host, const char *path,
			      ob_credentials *out, ocib_error **err)
{
	const char *dir = ob_context_docker_config_dir(ctx);
	ob_auto(ocib_error) failure = NULL;
	ob_auto(ob_json) config = NULL;
	ob_autofree char *file = NULL;

	if (!dir)
		return OCIB_OK;
	ocib_errc rc = read_config(dir, &config, &file, &failure);
	if (rc == OCIB_ERR_NOTFOUND)
		return OCIB_OK;
	if (rc) {
		(void)ob_error_move(err, &failure);
		return ob_wrap(err, rc, "'%s'", file ? file : dir);
	}
	const char *name = find_helper(config, host);
	if (name)
		rc = ask_helper(ctx, name, host, out, err);
	if (!rc && !ob_credentials_is_set(out))
		rc = search_auths(config, host, path, out, err);
	return rc ? ob_wrap(err, rc, "'%s'", file) : OCIB_OK;
}
