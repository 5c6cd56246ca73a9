/* engine/source/registry_set.c — a map from "domain/path" and direction to an open ob_registry. */
#include "engine/source/registry_set.h"
#include <pthread.h>
#include <string.h>
#include "base/map.h"
#include "base/strings.h"

struct ob_registry_set {
	ocib_context *ctx;
	bool plain_http, skip_tls_verify;
	char *ca_file, *username, *password; /* or NULL */
	pthread_mutex_t lock;
	ob_map *registries;
	ob_strlist trusted;
};

static void free_registry(void *registry)
{
	ob_registry_free(registry);
}

ob_registry_set *ob_registry_set_free(ob_registry_set *set)
{
	if (!set)
		return NULL;
	ob_map_free(set->registries);
	ob_strlist_done(&set->trusted);
	if (set->password)
		explicit_bzero(set->password, strlen(set->password));
	free(set->password);
	free(set->username);
	free(set->ca_file);
	pthread_mutex_destroy(&set->lock);
	free(set);
	return NULL;
}

static int copy_text(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -1 : 0;
}

static ocib_errc copy_options(ob_registry_set *set, const ob_registry_options *given,
			      ocib_error **err)
{
	set->plain_http = given->plain_http;
	set->skip_tls_verify = given->skip_tls_verify;
	if (copy_text(given->ca_file, &set->ca_file) ||
	    copy_text(given->username, &set->username) ||
	    copy_text(given->password, &set->password))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

ocib_errc ob_registry_set_new(ocib_context *ctx, const ob_registry_options *options,
			      ob_registry_set **out, ocib_error **err)
{
	ob_auto(ob_registry_set) set = calloc(1, sizeof(*set));

	if (!set)
		return ob_fail_nomem(err);
	pthread_mutex_init(&set->lock, NULL);
	set->ctx = ctx;
	set->registries = ob_map_new(free_registry);
	if (!set->registries)
		return ob_fail_nomem(err);
	ocib_errc rc = options ? copy_options(set, options, err) : OCIB_OK;
	if (rc)
		return rc;
	*out = ob_take_ptr(set);
	return OCIB_OK;
}

ocib_errc ob_registry_set_trust(ob_registry_set *set, const char *domain, ocib_error **err)
{
	int failed = 0;

	pthread_mutex_lock(&set->lock);
	if (!ob_strlist_contains(&set->trusted, domain))
		failed = ob_strlist_add(&set->trusted, domain);
	pthread_mutex_unlock(&set->lock);
	return failed ? ob_fail_nomem(err) : OCIB_OK;
}

/* Under the lock. */
static ocib_errc open_registry(ob_registry_set *set, const char *key,
			       const ob_reference *repository, bool push, ob_registry **out,
			       ocib_error **err)
{
	bool trusted = ob_strlist_contains(&set->trusted, repository->domain);
	const ob_registry_options options = {.plain_http = set->plain_http,
					     .skip_tls_verify = set->skip_tls_verify,
					     .ca_file = set->ca_file,
					     .username = trusted ? set->username : NULL,
					     .password = trusted ? set->password : NULL,
					     .push = push};
	ob_auto(ob_registry) registry = NULL;

	ocib_errc rc = ob_registry_open(set->ctx, repository, &options, &registry, err);
	if (rc)
		return rc;
	if (ob_map_set(set->registries, key, registry))
		return ob_fail_nomem(err);
	*out = ob_take_ptr(registry);
	return OCIB_OK;
}

ocib_errc ob_registry_set_get(ob_registry_set *set, const ob_reference *repository, bool push,
			      ob_registry **out, ocib_error **err)
{
	ob_autofree char *key = ob_str_printf("%s/%s %s", repository->domain, repository->path,
					      push ? "push" : "pull");
	ocib_errc rc = OCIB_OK;

	if (!key)
		return ob_fail_nomem(err);
	pthread_mutex_lock(&set->lock);
	ob_registry *found = ob_map_get(set->registries, key);
	if (!found)
		rc = open_registry(set, key, repository, push, &found, err);
	pthread_mutex_unlock(&set->lock);
	if (!rc)
		*out = found;
	return rc;
}

uint64_t ob_registry_set_received(ob_registry_set *set)
{
	uint64_t sum = 0;

	pthread_mutex_lock(&set->lock);
	for (size_t i = 0; i < ob_map_len(set->registries); i++)
		sum += ob_registry_received(ob_map_at(set->registries, i, NULL));
	pthread_mutex_unlock(&set->lock);
	return sum;
}
