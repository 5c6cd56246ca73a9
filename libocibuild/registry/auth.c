/* registry/auth.c — what a registry asks for, remembered, and the headers that answer it.
 *
 * One lock guards all, also while a token is fetched: the others would fetch the same one.
 * Credentials are loaded at the first challenge, so a registry that asks nothing starts no helper.
 * Secrets are overwritten when they are dropped.
 */
#include "registry/auth.h"
#include <pthread.h>
#include <string.h>
#include <time.h>
#include "base/strings.h"
#include "registry/auth_challenge.h"
#include "registry/auth_config.h"
#include "registry/auth_token.h"
#include "registry/base64.h"

typedef struct held_token {
	char *scope;
	char *header;
	int64_t expires; /* CLOCK_MONOTONIC seconds */
	struct held_token *next;
} held_token;

struct ob_auth {
	pthread_mutex_t lock;
	ocib_context *ctx;
	ob_curl_pool *pool;
	char *host, *path;
	ob_credentials credentials;
	bool is_loaded;
	char *basic; /* header, once the registry asked for Basic */
	char *realm; /* once it asked for Bearer */
	char *service;
	held_token *tokens;
};

static void wipe(char *text)
{
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void free_token(held_token *token)
{
	wipe(token->header);
	free(token->scope);
	free(token);
}

ob_auth *ob_auth_free(ob_auth *auth)
{
	if (!auth)
		return NULL;
	while (auth->tokens) {
		held_token *one = auth->tokens;

		auth->tokens = one->next;
		free_token(one);
	}
	ob_credentials_done(&auth->credentials);
	wipe(auth->basic);
	free(auth->realm);
	free(auth->service);
	free(auth->host);
	free(auth->path);
	pthread_mutex_destroy(&auth->lock);
	free(auth);
	return NULL;
}

ocib_errc ob_auth_new(ocib_context *ctx, ob_curl_pool *pool, const char *host, const char *path,
		      const char *username, const char *password, ob_auth **out, ocib_error **err)
{
	ob_auto(ob_auth) auth = calloc(1, sizeof(*auth));

	if (!auth)
		return ob_fail_nomem(err);
	pthread_mutex_init(&auth->lock, NULL);
	auth->ctx = ctx;
	auth->pool = pool;
	auth->host = strdup(host);
	auth->path = strdup(path);
	if (username) {
		auth->credentials.username = strdup(username);
		auth->credentials.password = strdup(password ? password : "");
		auth->is_loaded = true;
		if (!auth->credentials.username || !auth->credentials.password)
			return ob_fail_nomem(err);
	}
	if (!auth->host || !auth->path)
		return ob_fail_nomem(err);
	*out = ob_take_ptr(auth);
	return OCIB_OK;
}

bool ob_auth_has_credentials(ob_auth *auth)
{
	pthread_mutex_lock(&auth->lock);
	bool has = ob_credentials_is_set(&auth->credentials);
	pthread_mutex_unlock(&auth->lock);
	return has;
}

static int64_t now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* ---- Headers. ---- */

static held_token *find_token(ob_auth *auth, const char *scope)
{
	for (held_token **at = &auth->tokens; *at;) {
		held_token *one = *at;

		if (one->expires <= now_seconds()) {
			*at = one->next;
			free_token(one);
		} else if (ob_str_eq(one->scope, scope)) {
			return one;
		} else {
			at = &one->next;
		}
	}
	return NULL;
}

static ocib_errc fetch_token(ob_auth *auth, const char *scope, held_token **out, ocib_error **err)
{
	const ob_token_request request = {.realm = auth->realm,
					  .service = auth->service,
					  .scope = scope,
					  .credentials = &auth->credentials};
	int64_t lifetime = 0;
	char *token = NULL;
	ocib_errc rc = ob_token_fetch(auth->ctx, auth->pool, &request, &token, &lifetime, err);
	if (rc)
		return rc;

	held_token *held = calloc(1, sizeof(*held));
	if (held) {
		held->scope = strdup(scope);
		held->header = ob_str_printf("Bearer %s", token);
		/* Not to the last second: the request takes time to arrive. */
		held->expires = now_seconds() + lifetime - (lifetime > 20 ? 10 : lifetime / 4);
	}
	wipe(token);
	if (!held || !held->scope || !held->header) {
		if (held)
			free_token(held);
		return ob_fail_nomem(err);
	}
	held->next = auth->tokens;
	auth->tokens = held;
	*out = held;
	return OCIB_OK;
}

static ocib_errc make_header(ob_auth *auth, const char *scope, char **out, ocib_error **err)
{
	const char *text = auth->basic;

	if (auth->realm && auth->credentials.registry_token) {
		*out = ob_str_printf("Bearer %s", auth->credentials.registry_token);
		return *out ? OCIB_OK : ob_fail_nomem(err);
	}
	if (auth->realm) {
		held_token *token = find_token(auth, scope);
		ocib_errc rc = token ? OCIB_OK : fetch_token(auth, scope, &token, err);

		if (rc)
			return rc;
		text = token->header;
	}
	if (!text)
		return OCIB_OK;
	*out = strdup(text);
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_auth_header(ob_auth *auth, const char *scope, char **out, ocib_error **err)
{
	pthread_mutex_lock(&auth->lock);
	ocib_errc rc = make_header(auth, scope, out, err);
	pthread_mutex_unlock(&auth->lock);
	return rc;
}

/* ---- Challenges. ---- */

static ocib_errc read_challenges(const ob_http_reply *reply, ob_challenges *out, ocib_error **err)
{
	const char *line;

	for (size_t i = 0; (line = ob_http_header(reply, "WWW-Authenticate", i)); i++) {
		ocib_errc rc = ob_challenges_parse(line, out, err);
		if (rc)
			return rc;
	}
	return OCIB_OK;
}

static void drop_token(ob_auth *auth, const char *header)
{
	for (held_token **at = &auth->tokens; *at; at = &(*at)->next) {
		held_token *one = *at;

		if (!ob_str_eq(one->header, header))
			continue;
		*at = one->next;
		free_token(one);
		return;
	}
}

static int replace(char **text, const char *with)
{
	char *copy = strdup(with ? with : "");

	if (!copy)
		return -1;
	free(*text);
	*text = copy;
	return 0;
}

static ocib_errc learn_bearer(ob_auth *auth, const ob_http_reply *reply, const ob_challenge *bearer,
			      const char *sent, bool *again, ocib_error **err)
{
	const char *realm = ob_challenge_param(bearer, "realm");
	ob_autofree char *url = NULL;

	ocib_errc rc = ob_token_realm(reply->url, realm, &url, err);
	if (rc)
		return rc;
	if (replace(&auth->realm, url) ||
	    replace(&auth->service, ob_challenge_param(bearer, "service")))
		return ob_fail_nomem(err);
	if (sent)
		drop_token(auth, sent);
	*again = !sent || !auth->credentials.registry_token;
	return OCIB_OK;
}

static ocib_errc learn_basic(ob_auth *auth, bool *again, ocib_error **err)
{
	if (auth->basic || !auth->credentials.username)
		return OCIB_OK;
	char *pair = ob_str_printf("%s:%s", auth->credentials.username, auth->credentials.password);
	char *code = pair ? ob_base64_encode(pair, strlen(pair)) : NULL;
	if (code)
		auth->basic = ob_str_printf("Basic %s", code);
	wipe(pair);
	wipe(code);
	*again = auth->basic != NULL;
	return *again ? OCIB_OK : ob_fail_nomem(err);
}

static ocib_errc learn(ob_auth *auth, const ob_http_reply *reply, const char *sent, bool *again,
		       ocib_error **err)
{
	ob_autodone(ob_challenges) challenges = {0};
	ocib_errc rc = read_challenges(reply, &challenges, err);

	if (!rc && !auth->is_loaded)
		rc = ob_credentials_load(auth->ctx, auth->host, auth->path, &auth->credentials,
					 err);
	if (rc)
		return rc;
	auth->is_loaded = true;
	const ob_challenge *bearer = ob_challenges_find(&challenges, "bearer");
	if (bearer)
		return learn_bearer(auth, reply, bearer, sent, again, err);
	if (ob_challenges_find(&challenges, "basic"))
		return learn_basic(auth, again, err);
	return OCIB_OK;
}

ocib_errc ob_auth_challenged(ob_auth *auth, const ob_http_reply *reply, const char *sent,
			     bool *again, ocib_error **err)
{
	*again = false;
	pthread_mutex_lock(&auth->lock);
	ocib_errc rc = learn(auth, reply, sent, again, err);
	pthread_mutex_unlock(&auth->lock);
	return rc;
}
