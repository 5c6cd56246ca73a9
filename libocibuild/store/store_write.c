/* store/store_write.c — how every small file of a store is replaced: temporary file, fsync, rename.
 *
 * The temporary file lies in our own folder under tmp/, never beside its target, so that a process that
 * is killed leaves litter only where it is swept.
 */
#include "store/store_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include "base/fds.h"

void ob_store_object_path(const char *dir, const ob_digest *digest, char out[OB_STORE_PATH_LEN])
{
	(void)snprintf(out, OB_STORE_PATH_LEN, "%s/%s", dir, ob_digest_hex(digest));
}

static int write_temp(ob_store *store, const char *temp, const void *data, size_t len, bool sync)
{
	ob_autofd int fd =
		openat(store->dirfd, temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0 || ob_write_full(fd, data, len) < 0)
		return -1;
	return sync ? fsync(fd) : 0;
}

ocib_errc ob_store_replace(ob_store *store, const char *path, const void *data, size_t len,
			   ob_durability durability, ocib_error **err)
{
	ob_autofree char *temp = NULL;
	ocib_errc r = ob_store_temp_name(store, &temp, err);

	if (r != OCIB_OK)
		return r;
	if (write_temp(store, temp, data, len, durability == OB_SURVIVES_CRASH) < 0 ||
	    renameat(store->dirfd, temp, store->dirfd, path) < 0) {
		r = ob_fail_errno(err, "write '%s/%s'", store->path, path);
		(void)unlinkat(store->dirfd, temp, 0);
	}
	return r;
}
