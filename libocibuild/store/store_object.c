/* store/store_object.c — a store as an object: where it is, its fields, its end.
 *
 * Making one touches nothing on disk. Opening what is there, or making it, is in store_open.c.
 */
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include "base/fds.h"
#include "base/strings.h"

#define ROOT_STORE "/var/lib/ocibuild"

static bool is_set(const char *text)
{
	return text && text[0];
}

/** $HOME, else what the password file says; malloc'ed or NULL. */
static char *home_dir(void)
{
	const char *home = getenv("HOME");
	char text[4096];
	struct passwd entry, *found = NULL;

	if (is_set(home))
		return strdup(home);
	if (getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) != 0 || !found)
		return NULL;
	return strdup(entry.pw_dir);
}

ocib_errc ob_store_default_path(char **out, ocib_error **err)
{
	const char *store = getenv("OCIBUILD_STORE");
	const char *data = getenv("XDG_DATA_HOME");
	ob_autofree char *home = NULL;

	if (is_set(store)) {
		*out = strdup(store);
	} else if (data && data[0] == '/') { /* the XDG rules: a relative one is to be ignored */
		*out = ob_str_printf("%s/ocibuild", data);
	} else if (geteuid() == 0) {
		*out = strdup(ROOT_STORE);
	} else {
		home = home_dir();
		if (!home)
			return ob_fail(err, OCIB_ERR_NOTFOUND,
				       "no place for the store: neither $OCIBUILD_STORE nor "
				       "$HOME is set");
		*out = ob_str_printf("%s/.local/share/ocibuild", home);
	}
	return *out ? OCIB_OK : ob_fail_nomem(err);
}

ocib_errc ob_store_new(const char *path, int dirfd, bool is_layout, ob_store **out,
		       ocib_error **err)
{
	ob_autofd int fd = dirfd;
	ob_auto(ocib_store) store = calloc(1, sizeof(*store));

	if (!store)
		return ob_fail_nomem(err);
	store->dirfd = ob_take_fd(fd);
	store->session_fd = -1;
	store->is_layout = is_layout;
	store->lock_name = is_layout ? OB_LAYOUT_FILE : "locks/store";
	store->temp_root = is_layout ? ".ocibuild-tmp" : "tmp";
	(void)pthread_mutex_init(&store->lock, NULL);
	store->path = realpath(path, NULL);
	if (!store->path)
		return ob_fail_errno(err, "resolve '%s'", path);
	*out = ob_take_ptr(store);
	return OCIB_OK;
}

ocib_store *ocib_store_close(ocib_store *store)
{
	if (!store)
		return NULL;
	(void)ob_store_flush(store, NULL);
	ob_store_drop_pending(store);
	ob_store_end_session(store);
	(void)pthread_mutex_destroy(&store->lock);
	if (store->dirfd >= 0)
		(void)close(store->dirfd);
	free(store->path);
	free(store);
	return NULL;
}

const char *ocib_store_path(const ocib_store *store)
{
	return store->path;
}

const char *ob_store_path(const ob_store *store)
{
	return store->path;
}

int ob_store_dirfd(const ob_store *store)
{
	return store->dirfd;
}

ocib_errc ob_store_lock_shared(ob_store *store, int *out_fd, ocib_error **err)
{
	ob_autofd int fd = -1;

	if (!store->is_layout)
		return ob_lock_file(store->dirfd, "locks/gc", false, true, out_fd, err);
	/* Nobody prunes a layout of other tools: there is nothing to hold. */
	fd = openat(store->dirfd, OB_LAYOUT_FILE, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return ob_fail_errno(err, "open '%s/%s'", store->path, OB_LAYOUT_FILE);
	*out_fd = ob_take_fd(fd);
	return OCIB_OK;
}
