/* base/context_registry.c — what a caller told about registries, kept by the context.
 *
 * By host and nothing else: credentials for one host are never looked at for another. Docker Hub's
 * several hosts are one registry, as in references.
 */
#include <ocibuild/registry.h>
#include <string.h>
#include "base/context_inside.h"
#include "base/options.h"
#include "base/strings.h"

static ob_registry_access *access_free(ob_registry_access *one)
{
	if (!one)
		return NULL;
	if (one->password)
		explicit_bzero(one->password, strlen(one->password));
	free(one->password);
	free(one->username);
	free(one->ca_cert);
	free(one->host);
	free(one);
	return NULL;
}

static void access_freep(ob_registry_access **one)
{
	*one = access_free(*one);
}

void ob_registry_access_free_all(ob_registry_access *first)
{
	while (first) {
		ob_registry_access *next = first->next;

		(void)access_free(first);
		first = next;
	}
}

static const char *canonical(const char *host)
{
	return ob_str_eq(host, "index.docker.io") || ob_str_eq(host, "registry-1.docker.io")
		       ? "docker.io"
		       : host;
}

static int copy_text(const char *text, char **out)
{
	*out = text ? strdup(text) : NULL;
	return text && !*out ? -1 : 0;
}

ocib_errc ocib_context_add_registry(ocib_context *ctx, const ocib_registry_access *access,
				    ocib_error **err)
{
	__attribute__((cleanup(access_freep))) ob_registry_access *one = NULL;
	ocib_registry_access local;
	ocib_errc r = ob_options_load(&local, access, err);

	if (r)
		return r;
	if (!local.host || !*local.host || strpbrk(local.host, "/@ "))
		return ob_fail(err, OCIB_ERR_INVALID, "a registry is HOST[:PORT], not '%s'",
			       local.host ? local.host : "");
	one = calloc(1, sizeof(*one));
	if (!one)
		return ob_fail_nomem(err);
	one->plain_http = local.plain_http != 0;
	one->skip_tls_verify = local.skip_tls_verify != 0;
	if (copy_text(canonical(local.host), &one->host) ||
	    copy_text(local.username, &one->username) ||
	    copy_text(local.password, &one->password) || copy_text(local.ca_cert, &one->ca_cert))
		return ob_fail_nomem(err);
	one->next = ctx->registries;
	ctx->registries = one;
	one = NULL;
	return OCIB_OK;
}

const ob_registry_access *ob_context_registry(const ocib_context *ctx, const char *host)
{
	for (const ob_registry_access *one = ctx->registries; one; one = one->next) {
		if (ob_str_eq_nocase(one->host, canonical(host)))
			return one;
	}
	return NULL;
}
