/* engine/build/ca_bundle.c — the certificates a RUN trusts: --ca-cert, or the host's own bundle.
 *
 * Where TLS is intercepted, programs in a RUN must trust what the host trusts. The file is bound into
 * the step's private /dev, so that no trace of it is in the layer; it is in no key and no history. A
 * base that has the host's bundle already, byte for byte, gets nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"
#include "engine/build/build.h"

#define MOUNTED_AT "/dev/ocibuild-ca.crt"

/* Where distributions keep their bundle. */
static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Alpine, Arch */
	"/etc/pki/tls/certs/ca-bundle.crt",                  /* Fedora, RHEL */
	"/etc/ssl/ca-bundle.pem",                            /* openSUSE */
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* RHEL */
	"/etc/ssl/cert.pem",                                 /* BSDs, old Alpine */
};

static const char *const variables[] = {
	"SSL_CERT_FILE",  "PIP_CERT",       "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS",
	"CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "CARGO_HTTP_CAINFO",
};

static ocib_errc read_bundle(const char *path, bool forced, ob_ca_bundle *out, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_CA_BUNDLE, "certificate bundle");
	ob_autofree char *real = realpath(path, NULL);

	if (!real && errno == ENOENT)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "the certificates '%s' do not exist", path);
	if (!real)
		return ob_fail_errno(err, "open the certificates '%s'", path);
	ocib_errc r = ob_read_file(AT_FDCWD, real, &text, err);
	if (r == OCIB_OK && forced && (!text.len || !strstr(text.data, "-----BEGIN ")))
		r = ob_fail(err, OCIB_ERR_INVALID, "'%s' has no certificate in PEM form", path);
	if (r < 0)
		return r;
	ob_sha256(text.len ? text.data : "", text.len, out->digest);
	out->path = ob_take_ptr(real);
	out->forced = forced;
	return OCIB_OK;
}

ocib_errc ob_ca_bundle_open(const char *option, ob_ca_bundle *out, ocib_error **err)
{
	if (option)
		return *option ? read_bundle(option, true, out, err) : OCIB_OK;
	/* A host without a bundle, or with one that cannot be read, has nothing to give. */
	for (size_t i = 0; i < OB_ARRAY_LEN(bundles) && !out->path; i++) {
		if (read_bundle(bundles[i], false, out, NULL) == OCIB_ERR_NOMEM)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

void ob_ca_bundle_done(ob_ca_bundle *ca)
{
	free(ca->path);
	*ca = (ob_ca_bundle){0};
}

ocib_errc ob_ca_bundle_wanted(const ob_ca_bundle *ca, ob_tree *base, bool *out, ocib_error **err)
{
	const ob_layer_stack *stack = NULL;

	*out = ca->path != NULL;
	if (!ca->path || ca->forced)
		return OCIB_OK;
	ocib_errc r = ob_tree_stack(base, &stack, err);
	for (size_t i = 0; i < OB_ARRAY_LEN(bundles) && r == OCIB_OK && *out; i++) {
		ob_autofree char *resolved = NULL;
		ob_found found = {0};

		/* Whatever is odd about the path in the image, it is not the host's bundle. */
		if (ob_layer_stack_resolve(stack, bundles[i], true, &resolved, &found, NULL) ==
			    OCIB_OK &&
		    found.exists && found.entry && found.entry->has_digest &&
		    memcmp(found.entry->digest, ca->digest, OB_SHA256_LEN) == 0)
			*out = false;
	}
	return r;
}

ocib_errc ob_ca_bundle_add(const ob_ca_bundle *ca, ob_run_spec *spec, ocib_error **err)
{
	ob_mount *grown = reallocarray(spec->mounts, spec->mount_count + 1, sizeof(*grown));

	if (!grown)
		return ob_fail_nomem(err);
	spec->mounts = grown;
	ob_mount *mount = &spec->mounts[spec->mount_count++];
	*mount = (ob_mount){.kind = OB_MOUNT_BIND, .read_only = true};
	mount->source = strdup(ca->path);
	mount->target = strdup(MOUNTED_AT);
	if (!mount->source || !mount->target)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < OB_ARRAY_LEN(variables); i++) {
		if (!ob_env_get(&spec->env, variables[i]) &&
		    ob_env_set(&spec->env, variables[i], MOUNTED_AT) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}
