/* engine/source/blob_fetch.c — the store first, then a layout, then registries.
 *
 * An image that was found in a registry has its blobs there. For others the repositories that are
 * remembered for the blob are asked, the newest before older ones, and then the one that the
 * image's name says: a base's layers may be elsewhere, and an image that was only built here is
 * nowhere. The first one's failure is the error that is reported. A fetched blob is verified on its
 * way in, so it is committed without hashing it twice.
 */
#include "engine/source/blob_fetch.h"
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include "base/fds.h"
#include "base/map.h"
#include "base/strings.h"
#include "engine/source/blob_origin.h"
#include "engine/source/progress_meter.h"

struct ob_blob_fetcher {
	ocib_context *ctx;
	ob_store *store;
	ob_registry_set *registries;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	ob_strlist busy; /* digests being fetched */
};

ob_blob_fetcher *ob_blob_fetcher_free(ob_blob_fetcher *fetcher)
{
	if (!fetcher)
		return NULL;
	ob_strlist_done(&fetcher->busy);
	pthread_cond_destroy(&fetcher->changed);
	pthread_mutex_destroy(&fetcher->lock);
	free(fetcher);
	return NULL;
}

ocib_errc ob_blob_fetcher_new(ocib_context *ctx, ob_store *store, ob_registry_set *registries,
			      ob_blob_fetcher **out, ocib_error **err)
{
	ob_blob_fetcher *fetcher = calloc(1, sizeof(*fetcher));

	if (!fetcher)
		return ob_fail_nomem(err);
	pthread_mutex_init(&fetcher->lock, NULL);
	pthread_cond_init(&fetcher->changed, NULL);
	fetcher->ctx = ctx;
	fetcher->store = store;
	fetcher->registries = registries;
	*out = fetcher;
	return OCIB_OK;
}

/* ---- Registries that may have it. ---- */

typedef ocib_errc (*use_registry)(ob_registry *registry, void *arg, ocib_error **err);

static ocib_errc try_name(ob_blob_fetcher *fetcher, const char *name, use_registry use, void *arg,
			  ocib_error **err)
{
	ob_autodone(ob_reference) repository = {0};
	ob_registry *registry = NULL;
	ocib_errc rc = ob_reference_parse(name, &repository, err);

	if (!rc)
		rc = ob_registry_set_get(fetcher->registries, &repository, false, &registry, err);
	return rc ? rc : use(registry, arg, err);
}

/* Repositories to ask, in order. */
static ocib_errc list_candidates(ob_blob_fetcher *fetcher, const ob_blob_place *place,
				 const ob_descriptor *blob, ob_strlist *out, ocib_error **err)
{
	const ob_reference *origin = place->origin;
	ocib_errc rc = OCIB_OK;

	if (!origin || !place->is_there)
		rc = ob_blob_origin_list(fetcher->store, &blob->digest, out, err);
	if (rc || !origin)
		return rc;
	ob_autofree char *name = ob_str_printf("%s/%s", origin->domain, origin->path);
	if (!name || (!ob_strlist_contains(out, name) && ob_strlist_add(out, name)))
		return ob_fail_nomem(err);
	return OCIB_OK;
}

/*
 * Would another registry do better? Not where the caller is at fault, or nothing may be asked at
 * all.
 */
static bool may_try_next(ocib_errc rc)
{
	return rc == OCIB_ERR_NOTFOUND || rc == OCIB_ERR_NETWORK || rc == OCIB_ERR_PROTOCOL ||
	       rc == OCIB_ERR_CORRUPT;
}

static ocib_errc try_registries(ob_blob_fetcher *fetcher, const ob_blob_place *place,
				const ob_descriptor *blob, use_registry use, void *arg,
				ocib_error **err)
{
	ob_auto(ocib_error) first = NULL;
	ob_autodone(ob_strlist) names = {0};

	ocib_errc rc = list_candidates(fetcher, place, blob, &names, err);
	if (rc)
		return rc;
	if (!names.len)
		return ob_fail(err, OCIB_ERR_NOTFOUND,
			       "blob %s is not in the store, and no registry is known to have it",
			       blob->digest.text);
	for (size_t i = 0; i < names.len; i++) {
		ob_auto(ocib_error) failure = NULL;

		rc = try_name(fetcher, names.items[i], use, arg, &failure);
		if (!rc)
			return OCIB_OK;
		if (!first)
			(void)ob_error_move(&first, &failure);
		if (!may_try_next(rc))
			break;
	}
	return ob_error_move(err, &first);
}

/* ---- Whole blobs. ---- */

typedef struct download {
	ob_blob_fetcher *fetcher;
	const ob_descriptor *blob;
	uint32_t step;
} download;

static ocib_errc download_from(ob_registry *registry, void *arg, ocib_error **err)
{
	const download *d = arg;
	ob_auto(ob_blob_writer) writer = NULL;
	ob_progress_meter meter;

	ob_progress_meter_init(&meter, d->fetcher->ctx, d->step, "pulling", &d->blob->digest);
	ocib_errc rc = ob_blob_writer_open(d->fetcher->store, &writer, err);
	if (!rc)
		rc = ob_registry_get_blob(registry, d->blob, ob_blob_writer_unhashed(writer),
					  ob_progress_meter_update, &meter, err);
	return rc ? rc : ob_blob_writer_commit_trusted(writer, &d->blob->digest, err);
}

static ocib_errc fetch_now(ob_blob_fetcher *fetcher, const ob_blob_place *place,
			   const ob_descriptor *blob, uint32_t step, ocib_error **err)
{
	download d = {.fetcher = fetcher, .blob = blob, .step = step};

	if (place->layout && ob_store_has_blob(place->layout, &blob->digest))
		return ob_store_copy_blob(place->layout, fetcher->store, blob, err);
	return try_registries(fetcher, place, blob, download_from, &d, err);
}

/* Wait until nobody fetches it; true: it is ours to fetch. */
static ocib_errc claim(ob_blob_fetcher *fetcher, const ob_digest *digest, bool *ours,
		       ocib_error **err)
{
	int failed = 0;

	pthread_mutex_lock(&fetcher->lock);
	while (ob_strlist_contains(&fetcher->busy, digest->text))
		pthread_cond_wait(&fetcher->changed, &fetcher->lock);
	*ours = !ob_store_has_blob(fetcher->store, digest);
	if (*ours)
		failed = ob_strlist_add(&fetcher->busy, digest->text);
	pthread_mutex_unlock(&fetcher->lock);
	return failed ? ob_fail_nomem(err) : OCIB_OK;
}

static void release(ob_blob_fetcher *fetcher, const ob_digest *digest)
{
	pthread_mutex_lock(&fetcher->lock);
	for (size_t i = 0; i < fetcher->busy.len; i++) {
		if (!ob_str_eq(fetcher->busy.items[i], digest->text))
			continue;
		ob_strlist_remove(&fetcher->busy, i);
		break;
	}
	pthread_cond_broadcast(&fetcher->changed);
	pthread_mutex_unlock(&fetcher->lock);
}

ocib_errc ob_blob_fetch(ob_blob_fetcher *fetcher, const ob_blob_place *place,
			const ob_descriptor *blob, uint32_t step, ocib_error **err)
{
	bool ours = false;

	if (ob_store_has_blob(fetcher->store, &blob->digest))
		return OCIB_OK;
	ocib_errc rc = claim(fetcher, &blob->digest, &ours, err);
	if (rc || !ours)
		return rc;
	rc = fetch_now(fetcher, place, blob, step, err);
	release(fetcher, &blob->digest);
	return rc;
}

/* ---- Parts. ---- */

typedef struct part {
	const ob_digest *digest;
	uint64_t offset, len;
	ob_buffer *out;
} part;

static ocib_errc part_from_registry(ob_registry *registry, void *arg, ocib_error **err)
{
	const part *p = arg;

	return ob_registry_get_blob_range(registry, p->digest, p->offset, p->len, p->out, err);
}

static ocib_errc part_from_store(ob_store *store, const ob_descriptor *blob, const part *p,
				 ocib_error **err)
{
	ob_autofd int fd = -1;
	ocib_errc rc = ob_store_open_blob(store, &blob->digest, blob->size, &fd, err);
	if (rc)
		return rc;

	char *to = ob_buffer_reserve(p->out, p->len);
	if (!to)
		return ob_buffer_check(p->out, err);
	ssize_t got = ob_pread_full(fd, to, p->len, (off_t)p->offset);
	if (got < 0)
		return ob_fail_errno(err, "read blob %s", blob->digest.text);
	if ((uint64_t)got < p->len)
		return ob_fail(err, OCIB_ERR_CORRUPT, "blob %s is too short", blob->digest.text);
	to[p->len] = '\0';
	p->out->len += p->len;
	return OCIB_OK;
}

ocib_errc ob_blob_fetch_range(ob_blob_fetcher *fetcher, const ob_blob_place *place,
			      const ob_descriptor *blob, uint64_t offset, uint64_t len,
			      ob_buffer *out, ocib_error **err)
{
	part p = {.digest = &blob->digest, .offset = offset, .len = len, .out = out};

	if (ob_store_has_blob(fetcher->store, &blob->digest))
		return part_from_store(fetcher->store, blob, &p, err);
	if (place->layout && ob_store_has_blob(place->layout, &blob->digest))
		return part_from_store(place->layout, blob, &p, err);
	return try_registries(fetcher, place, blob, part_from_registry, &p, err);
}
