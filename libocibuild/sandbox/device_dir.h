/* sandbox/device_dir.h — a command's own /dev, and other file systems made of nothing. */
#ifndef OB_SANDBOX_DEVICE_DIR_H
#define OB_SANDBOX_DEVICE_DIR_H

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/** Detached mounts. */
typedef struct ob_device_dir {
	int dev, pts, shm;
} ob_device_dir;
#define OB_DEVICE_DIR_INIT                      \
	{                                       \
		.dev = -1, .pts = -1, .shm = -1 \
	}
void ob_device_dir_done(ob_device_dir *dir);

/** The machine's devices that are to be bound in it. Paths; the empty files for it are there. */
extern const char *const ob_device_paths[];
extern const size_t ob_device_path_count;

/** @param shm_size 0: 64 MiB */
ocib_errc ob_device_dir_make(ob_device_dir *out, uint64_t shm_size, ocib_error **err);

/** A detached tmpfs; size 0: the kernel's default. -1 and errno. */
int ob_tmpfs_mount(uint32_t mode, uint64_t size, unsigned attributes);

#endif
