/* engine/source/git_environment.c — see git_environment.h.
 *
 * Neither the system's nor the user's configuration, hooks or templates have a say, so a repository is the
 * same for everybody. Of the environment only what says how to reach a network is passed on. Protocols are
 * the four that an address can have: no submodule reads this machine's files or starts a program.
 *
 * Credentials are here, so that no list of processes has them: a password by a credential helper that exists
 * for its host only, a secret as a header for this repository.
 */
#include "engine/source/git_environment.h"
#include <string.h>
#include "base/strings.h"
#include "engine/source/remote_auth.h"
#include "registry/http_url.h"

/* ssh without questions. Keys of new hosts are believed and not kept; a known host must be the same. */
#define SSH                                                                      \
	"ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=accept-new " \
	"-o 'UserKnownHostsFile=/dev/null ~/.ssh/known_hosts'"
#define NO_FILES " -o IdentityFile=/dev/null"
#define NO_KEYS  NO_FILES " -o IdentitiesOnly=yes -o IdentityAgent=none"

static int pass_on(ob_strlist *env, const char *name)
{
	const char *value = getenv(name);

	return value ? ob_strlist_add_printf(env, "%s=%s", name, value) : 0;
}

/* "https://host:port" of an http URL. */
static char *origin(const char *remote)
{
	const char *host = strstr(remote, "://");

	return host ? strndup(remote, (size_t)(host - remote) + 3 + strcspn(host + 3, "/")) : NULL;
}

typedef struct settings {
	ob_strlist *env;
	int count;
	bool failed;
} settings;

/* One line of configuration. The key is taken. */
static void set(settings *s, char *key, const char *value)
{
	ob_autofree char *taken = key;

	if (!taken || !value ||
	    ob_strlist_add_printf(s->env, "GIT_CONFIG_KEY_%d=%s", s->count, taken) ||
	    ob_strlist_add_printf(s->env, "GIT_CONFIG_VALUE_%d=%s", s->count, value))
		s->failed = true;
	s->count++;
}

/* The helper's text has names of variables and no secret. */
static void set_password(settings *s, const ob_git_address *address)
{
	ob_autofree char *where = origin(address->remote);
	const char *password = address->password ? address->password : "";

	if (!where || ob_strlist_add_printf(s->env, "OCIBUILD_GIT_USER=%s", address->user) ||
	    ob_strlist_add_printf(s->env, "OCIBUILD_GIT_PASSWORD=%s", password)) {
		s->failed = true;
		return;
	}
	set(s, ob_str_printf("credential.%s.helper", where),
	    "!f() { printf 'username=%s\\npassword=%s\\n' "
	    "\"$OCIBUILD_GIT_USER\" \"$OCIBUILD_GIT_PASSWORD\"; }; f");
}

/* The header goes with what is below the repository's address; for all repositories of github.com a token is
 * the same. git would take it along to wherever the server sends it, so it may not be sent anywhere. */
static void set_header(settings *s, const char *remote, const char *authorization)
{
	static const char *const one_house[] = {"https://github.com/", "https://www.github.com/"};
	ob_auto_authorization line = ob_str_printf("Authorization: %s", authorization);
	const char *scope = remote;

	for (size_t i = 0; i < OB_ARRAY_LEN(one_house); i++) {
		if (ob_str_starts(remote, one_house[i]))
			scope = one_house[i];
	}
	set(s, ob_str_printf("http.%s.extraHeader", scope), line);
	set(s, strdup("http.followRedirects"), "false");
}

static ocib_errc add_credentials(const ob_git_command *git, ob_strlist *env, ocib_error **err)
{
	const ob_git_address *address = git->address;
	ob_auto_authorization authorization = NULL;
	settings s = {.env = env};
	ocib_errc r = ob_git_authorization(git->secrets, address->remote, &authorization, err);

	if (r)
		return r;
	if (authorization)
		set_header(&s, address->remote, authorization);
	else if (address->user)
		set_password(&s, address);
	if (s.failed || ob_strlist_add_printf(env, "GIT_CONFIG_COUNT=%d", s.count))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/* An agent that was given for the build has the keys, or else who builds has. */
static int add_keys(const ob_git_command *git, ob_strlist *env)
{
	const char *keys = git->may_use_keys ? "" : git->ssh_agent ? NO_FILES : NO_KEYS;

	if (ob_strlist_add_printf(env, "GIT_SSH_COMMAND=" SSH "%s", keys))
		return -1;
	if (git->ssh_agent)
		return ob_strlist_add_printf(env, "SSH_AUTH_SOCK=%s", git->ssh_agent);
	return git->may_use_keys ? pass_on(env, "SSH_AUTH_SOCK") : 0;
}

static int add_common(const ob_git_command *git, ob_strlist *env)
{
	static const char *const fixed[] = {
		"LC_ALL=C",
		"HOME=/dev/null",
		"GIT_CONFIG_NOSYSTEM=1",
		"GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_ATTR_NOSYSTEM=1",
		"GIT_TEMPLATE_DIR=",
		"GIT_TERMINAL_PROMPT=0",
		"GIT_ASKPASS=true",
		"GIT_ALLOW_PROTOCOL=http:https:git:ssh",
	};
	static const char *const passed[] = {"PATH", "GIT_SSL_CAINFO"};
	static const char *const proxies[] = {
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
		"http_proxy", "https_proxy", "no_proxy", "all_proxy",
	};
	const char *bundle = getenv("SSL_CERT_FILE");
	/* As everywhere here, what is on this machine is not asked for through a proxy. */
	bool is_near = ob_url_is_loopback(git->address->remote);
	int failed = 0;

	for (size_t i = 0; i < OB_ARRAY_LEN(fixed); i++)
		failed |= ob_strlist_add(env, fixed[i]);
	for (size_t i = 0; i < OB_ARRAY_LEN(passed); i++)
		failed |= pass_on(env, passed[i]);
	for (size_t i = 0; !is_near && i < OB_ARRAY_LEN(proxies); i++)
		failed |= pass_on(env, proxies[i]);
	if (bundle && !ob_env_get(env, "GIT_SSL_CAINFO"))
		failed |= ob_strlist_add_printf(env, "GIT_SSL_CAINFO=%s", bundle);
	return failed || add_keys(git, env) ? -1 : 0;
}

ocib_errc ob_git_environment(const ob_git_command *git, ob_strlist *out, ocib_error **err)
{
	return add_common(git, out) ? ob_fail_nomem(err) : add_credentials(git, out, err);
}
