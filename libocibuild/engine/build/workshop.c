/* engine/build/workshop.c — workers by need, one temporary directory, everything gone in the end.
 *
 * Workers are kept while the build lasts: a thread takes an idle one or starts another, so there are at
 * most as many as threads that run commands or write layers at once.
 *
 * All temporary files are below one directory in the store's tmp/, which is locked while its owner
 * lives; what a killed build left is found there by the next one and swept away.
 */
#include "engine/build/workshop.h"
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include "base/fds.h"
#include "base/strings.h"

void ob_workshop_init(ob_workshop *shop, ocib_context *ctx, ob_store *store)
{
	*shop = (ob_workshop){.ctx = ctx, .store = store};
	/* Without it, other steps are waited for when one fails. */
	shop->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	(void)pthread_mutex_init(&shop->lock, NULL);
	(void)pthread_cond_init(&shop->changed, NULL);
}

/* --- workers --- */

static void tell_rung(ob_workshop *shop, const ob_worker *worker)
{
	bool told;

	(void)pthread_mutex_lock(&shop->lock);
	told = shop->rung_told;
	shop->rung_told = true;
	(void)pthread_mutex_unlock(&shop->lock);
	if (!told)
		ob_emit_note(shop->ctx, "commands run on the rung '%s' of this machine",
			     ob_rung_name(ob_worker_rung(worker)));
}

/* The worker tries overlayfs in a directory of its own in our temporary one, where nothing stays. */
static ocib_errc spawn_worker(ob_workshop *shop, ob_worker **out, ocib_error **err)
{
	ob_autofree char *dir = NULL;

	ocib_errc r = ob_workshop_new_dir(shop, &dir, err);
	if (r == OCIB_OK)
		r = ob_worker_spawn(shop->ctx, dir, out, err);
	if (r < 0)
		return r;
	ob_worker_set_stop_fd(*out, shop->stop_fd);
	tell_rung(shop, *out);
	return OCIB_OK;
}

ocib_errc ob_workshop_take(ob_workshop *shop, ob_worker **out, ocib_error **err)
{
	ob_worker *worker = NULL;

	(void)pthread_mutex_lock(&shop->lock);
	if (shop->idle_count)
		worker = shop->idle[--shop->idle_count];
	(void)pthread_mutex_unlock(&shop->lock);
	if (!worker) {
		ocib_errc r = spawn_worker(shop, &worker, err);
		if (r < 0)
			return r;
	}
	*out = worker;
	return OCIB_OK;
}

/* Under the lock; false: no room and no memory for more. */
static bool keep_idle(ob_workshop *shop, ob_worker *worker)
{
	if (shop->idle_count == shop->idle_cap) {
		size_t cap = shop->idle_cap ? 2 * shop->idle_cap : 4;
		ob_worker **grown = reallocarray(shop->idle, cap, sizeof(*grown));

		if (!grown)
			return false;
		shop->idle = grown;
		shop->idle_cap = cap;
	}
	shop->idle[shop->idle_count++] = worker;
	return true;
}

void ob_workshop_return(ob_workshop *shop, ob_worker *worker, ocib_errc result)
{
	bool kept = false;

	if (!worker)
		return;
	if (result == OCIB_OK) {
		(void)pthread_mutex_lock(&shop->lock);
		kept = keep_idle(shop, worker);
		(void)pthread_mutex_unlock(&shop->lock);
	}
	if (!kept)
		(void)ob_worker_free(worker);
}

void ob_workshop_stop(ob_workshop *shop)
{
	if (shop->stop_fd >= 0)
		(void)eventfd_write(shop->stop_fd, 1);
}

/* --- temporary directories --- */

/* Under the lock. */
static ocib_errc make_dir(ob_workshop *shop, char **path, ocib_error **err)
{
	ob_autofree char *relative = NULL;

	if (!shop->temp) {
		ocib_errc r = ob_store_new_temp_dir(shop->store, &shop->temp, err);
		if (r < 0)
			return r;
	}
	relative = ob_str_printf("%s/%ju", shop->temp, (uintmax_t)shop->temp_count++);
	if (!relative)
		return ob_fail_nomem(err);
	if (mkdirat(ob_store_dirfd(shop->store), relative, 0700) < 0)
		return ob_fail_errno(err, "make directory '%s'", relative);
	*path = ob_str_printf("%s/%s", ob_store_path(shop->store), relative);
	return *path ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_workshop_new_dir(ob_workshop *shop, char **path, ocib_error **err)
{
	(void)pthread_mutex_lock(&shop->lock);
	ocib_errc r = make_dir(shop, path, err);
	(void)pthread_mutex_unlock(&shop->lock);
	return r;
}

static void remove_by_worker(ob_workshop *shop, const ob_strlist *paths)
{
	ob_worker *worker = NULL;

	/* Where no worker can be had, nothing was made that we cannot remove; a later sweep tries again. */
	if (ob_workshop_take(shop, &worker, NULL) < 0)
		return;
	ob_workshop_return(shop, worker, ob_worker_remove(worker, paths, NULL));
}

static void remove_temp(ob_workshop *shop)
{
	ob_autodone(ob_strlist) paths = {0};

	if (!shop->temp || ob_remove_tree(ob_store_dirfd(shop->store), shop->temp, NULL) == OCIB_OK)
		return;
	if (ob_strlist_add_printf(&paths, "%s/%s", ob_store_path(shop->store), shop->temp) == 0)
		remove_by_worker(shop, &paths);
}

void ob_workshop_sweep(ob_workshop *shop)
{
	ob_autodone(ob_strlist) left = {0};

	if (ob_store_sweep(shop->store, &left, NULL) == OCIB_OK && left.len)
		remove_by_worker(shop, &left);
}

void ob_workshop_done(ob_workshop *shop)
{
	remove_temp(shop);
	for (size_t i = 0; i < shop->idle_count; i++)
		(void)ob_worker_free(shop->idle[i]);
	free(shop->idle);
	free(shop->temp);
	ob_closep(&shop->stop_fd);
	ob_strlist_done(&shop->unpacking);
	(void)pthread_cond_destroy(&shop->changed);
	(void)pthread_mutex_destroy(&shop->lock);
}
