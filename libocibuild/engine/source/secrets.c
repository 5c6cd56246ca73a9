/* engine/source/secrets.c — see secrets.h.
 *
 * Files are read when the build begins, so that one which is missing is told before anything runs, and
 * so that a pipe (a shell's <(…)) will do. From here a secret goes to a worker over its socket, into a
 * file system of the worker's own or into the environment of one command, or in a header to the one server that it
 * is for; it is written nowhere else.
 */
#include "engine/source/secrets.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"

void ob_secrets_done(ob_secrets *secrets)
{
	for (size_t i = 0; i < secrets->len; i++) {
		ob_secret *secret = &secrets->items[i];

		free(secret->id);
		if (secret->data)
			explicit_bzero(secret->data, secret->len);
		free(secret->data);
	}
	free(secrets->items);
	*secrets = (ob_secrets){0};
}

/* The buffer is made large enough at once: growing would leave copies behind. */
static ocib_errc read_file(const ocib_secret *given, ob_secret *out, ocib_error **err)
{
	ob_autofd int fd = open(given->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t len;

	if (fd < 0 && errno == ENOENT)
		return ob_fail(err, OCIB_ERR_NOTFOUND, "secret '%s': there is no file '%s'",
			       given->id, given->path);
	if (fd < 0)
		return ob_fail_errno(err, "secret '%s': open '%s'", given->id, given->path);
	out->data = calloc(1, OB_LIMIT_SECRET + 2);
	if (!out->data)
		return ob_fail_nomem(err);
	len = ob_read_full(fd, out->data, OB_LIMIT_SECRET + 1);
	if (len < 0)
		return ob_fail_errno(err, "secret '%s': read '%s'", given->id, given->path);
	out->len = (size_t)len;
	return OCIB_OK;
}

static ocib_errc copy_data(const ocib_secret *given, ob_secret *out, ocib_error **err)
{
	out->data = calloc(1, given->len + 1);
	if (!out->data)
		return ob_fail_nomem(err);
	if (given->len)
		memcpy(out->data, given->data, given->len);
	out->len = given->len;
	return OCIB_OK;
}

static ocib_errc load_one(const ocib_secret *given, ob_secret *out, ocib_error **err)
{
	if (!given->id || !*given->id)
		return ob_fail(err, OCIB_ERR_INVALID, "a secret needs an id");
	out->id = strdup(given->id);
	if (!out->id)
		return ob_fail_nomem(err);
	ocib_errc r = OCIB_OK;
	if (given->path)
		r = read_file(given, out, err);
	else if (given->len <= OB_LIMIT_SECRET)
		r = copy_data(given, out, err);
	if (r == OCIB_OK && (out->len > OB_LIMIT_SECRET || !out->data))
		r = ob_fail(err, OCIB_ERR_LIMIT,
			    "secret '%s' has more than %llu bytes (limit OB_LIMIT_SECRET)",
			    given->id, OB_LIMIT_SECRET);
	return r;
}

ocib_errc ob_secrets_load(const ocib_secret *given, size_t count, ob_secrets *out, ocib_error **err)
{
	out->items = calloc(count + 1, sizeof(*out->items));
	if (!out->items)
		return ob_fail_nomem(err);
	for (size_t i = 0; i < count; i++) {
		ocib_errc r = load_one(&given[i], &out->items[out->len++], err);

		if (r < 0)
			return r;
	}
	return OCIB_OK;
}

const ob_secret *ob_secrets_find(const ob_secrets *secrets, const char *id)
{
	for (size_t i = secrets ? secrets->len : 0; i-- > 0;)
		if (ob_str_eq(secrets->items[i].id, id))
			return &secrets->items[i];
	return NULL;
}
