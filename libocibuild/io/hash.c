/* io/hash.c — SHA-256 by OpenSSL; the only file of this layer that knows it.
 *
 * A context is initialised once and then reset, which keeps OpenSSL's provider lookup out of the way of
 * a hundred thousand small files.
 */
#include "io/hash.h"
#include <openssl/evp.h>
#include <string.h>
#include "base/strings.h"

struct ob_hash {
	EVP_MD_CTX *ctx;
};

ocib_errc ob_hash_new(ob_hash **out, ocib_error **err)
{
	ob_auto(ob_hash) hash = calloc(1, sizeof(*hash));

	if (!hash)
		return ob_fail_nomem(err);
	hash->ctx = EVP_MD_CTX_new();
	if (!hash->ctx || EVP_DigestInit_ex(hash->ctx, EVP_sha256(), NULL) != 1)
		return ob_fail_nomem(err);
	*out = ob_take_ptr(hash);
	return OCIB_OK;
}

ob_hash *ob_hash_free(ob_hash *hash)
{
	if (hash)
		EVP_MD_CTX_free(hash->ctx);
	free(hash);
	return NULL;
}

void ob_hash_update(ob_hash *hash, const void *data, size_t len)
{
	(void)EVP_DigestUpdate(hash->ctx, data, len);
}

void ob_hash_final(ob_hash *hash, uint8_t out[OB_SHA256_LEN])
{
	(void)EVP_DigestFinal_ex(hash->ctx, out, NULL);
	(void)EVP_DigestInit_ex(hash->ctx, NULL, NULL);
}

void ob_sha256(const void *data, size_t len, uint8_t out[OB_SHA256_LEN])
{
	if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
		memset(out, 0, OB_SHA256_LEN);
}

struct ob_hash_writer {
	ob_writer base;
	ob_writer *inner;
	ob_hash *hash;
	EVP_MD_CTX *peek; /* made early, so that peeking hardly ever needs memory */
	uint64_t count;
};

static ocib_errc hash_write(ob_writer *self, const void *data, size_t len, ocib_error **err)
{
	ob_hash_writer *w = (ob_hash_writer *)self;

	ob_hash_update(w->hash, data, len);
	w->count += len;
	return w->inner ? ob_writer_write(w->inner, data, len, err) : OCIB_OK;
}

static void hash_writer_destroy(ob_writer *self)
{
	ob_hash_writer_free((ob_hash_writer *)self);
}

ocib_errc ob_hash_writer_new(ob_writer *inner, ob_hash_writer **out, ocib_error **err)
{
	static const ob_writer_ops ops = {hash_write, NULL, hash_writer_destroy};
	ob_auto(ob_hash_writer) w = calloc(1, sizeof(*w));

	if (!w)
		return ob_fail_nomem(err);
	w->base.ops = &ops;
	w->inner = inner;
	w->peek = EVP_MD_CTX_new();
	if (!w->peek)
		return ob_fail_nomem(err);
	ocib_errc r = ob_hash_new(&w->hash, err);
	if (r)
		return r;
	*out = ob_take_ptr(w);
	return OCIB_OK;
}

ob_writer *ob_hash_writer_base(ob_hash_writer *w)
{
	return &w->base;
}

uint64_t ob_hash_writer_count(const ob_hash_writer *w)
{
	return w->count;
}

void ob_hash_writer_peek(const ob_hash_writer *w, uint8_t out[OB_SHA256_LEN])
{
	if (EVP_MD_CTX_copy_ex(w->peek, w->hash->ctx) != 1 ||
	    EVP_DigestFinal_ex(w->peek, out, NULL) != 1)
		memset(out, 0, OB_SHA256_LEN);
}

ob_hash_writer *ob_hash_writer_free(ob_hash_writer *w)
{
	if (!w)
		return NULL;
	EVP_MD_CTX_free(w->peek);
	ob_hash_free(w->hash);
	free(w);
	return NULL;
}

typedef struct verify_reader {
	ob_reader base;
	ob_reader *inner;
	ob_hash *hash;
	char *what;
	uint8_t want[OB_SHA256_LEN];
	uint64_t size, count;
	bool ended;
} verify_reader;

static ocib_errc verify_end(verify_reader *r, ocib_error **err)
{
	uint8_t got[OB_SHA256_LEN];
	char text[2 * OB_SHA256_LEN + 1];

	if (r->size != UINT64_MAX && r->count != r->size)
		return ob_fail(err, OCIB_ERR_CORRUPT, "%s has %ju bytes and should have %ju",
			       r->what, (uintmax_t)r->count, (uintmax_t)r->size);
	ob_hash_final(r->hash, got);
	if (memcmp(got, r->want, sizeof(got)) != 0) {
		ob_hex_encode(got, sizeof(got), text);
		return ob_fail(err, OCIB_ERR_CORRUPT, "%s has the wrong digest, sha256:%s", r->what,
			       text);
	}
	r->ended = true;
	return OCIB_OK;
}

static ocib_errc verify_read(ob_reader *self, void *data, size_t cap, size_t *got, ocib_error **err)
{
	verify_reader *r = (verify_reader *)self;
	size_t now = 0;

	if (r->ended) {
		*got = 0;
		return OCIB_OK;
	}
	ocib_errc rc = ob_reader_read(r->inner, data, cap, &now, err);
	if (rc)
		return rc;
	r->count += now;
	if (r->count > r->size)
		return ob_fail(err, OCIB_ERR_CORRUPT,
			       "%s has more than the %ju bytes it should have", r->what,
			       (uintmax_t)r->size);
	ob_hash_update(r->hash, data, now);
	if (now == 0 && cap && (rc = verify_end(r, err)))
		return rc;
	*got = now;
	return OCIB_OK;
}

static void verify_destroy(ob_reader *self)
{
	verify_reader *r = (verify_reader *)self;

	ob_reader_free(r->inner);
	ob_hash_free(r->hash);
	free(r->what);
	free(r);
}

ocib_errc ob_reader_open_verify(ob_reader *inner, const uint8_t sha256[OB_SHA256_LEN],
				uint64_t size, const char *what, ob_reader **out, ocib_error **err)
{
	static const ob_reader_ops ops = {verify_read, verify_destroy};
	ob_auto(ob_reader) taken = inner;
	verify_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return ob_fail_nomem(err);
	r->base.ops = &ops;
	r->inner = ob_take_ptr(taken);
	r->size = size;
	memcpy(r->want, sha256, OB_SHA256_LEN);
	taken = &r->base; /* from here on it frees all */
	r->what = ob_str_printf("%s", what);
	if (!r->what)
		return ob_fail_nomem(err);
	ocib_errc rc = ob_hash_new(&r->hash, err);
	if (rc)
		return rc;
	*out = ob_take_ptr(taken);
	return OCIB_OK;
}
