/* sandbox/device_dir.h — a command's own /dev, and other file systems made of nothing. */
#ifndef OB_SANDBOX_DEVICE_DIR_H
#define OB_SANDBOX_DEVICE_DIR_H

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/** Detached mounts; and the device files that could not be made, which are to be bound from outside. */
typedef struct ob_device_dir {
	int dev, pts, shm;
	const char *missing[8];
	size_t missing_count;
} ob_device_dir;
#define OB_DEVICE_DIR_INIT                      \
	{                                       \
		.dev = -1, .pts = -1, .shm = -1 \
	}
void ob_device_dir_done(ob_device_dir *dir);

/** @param shm_size 0: 64 MiB */
ocib_errc ob_device_dir_make(ob_device_dir *out, uint64_t shm_size, ocib_error **err);

/** A detached tmpfs; size 0: the kernel's default. -1 and errno. */
int ob_tmpfs_mount(uint32_t mode, uint64_t size, unsigned attributes);

#endif
