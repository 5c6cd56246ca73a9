/* snapshot/entry_read.h — things of a file system as layer entries, and whether two are the same. */
#ifndef OB_SNAPSHOT_ENTRY_READ_H
#define OB_SNAPSHOT_ENTRY_READ_H

#include <sys/stat.h>
#include "layer/entry.h"

/** Type, mode, owner, size, time and device. */
void ob_entry_from_stat(ob_entry *entry, const struct stat *st);
/** A whole entry of dirfd/name; a regular file is left open in *fd. Overlay's own attributes are left out. */
ocib_errc ob_entry_read_at(int dirfd, const char *name, const char *path, const struct stat *st,
			   ob_entry *out, int *fd, ocib_error **err);
/** The same of an open directory. */
ocib_errc ob_entry_read_dir(int fd, const char *path, const struct stat *st, ob_entry *out,
			    ocib_error **err);
/** Would nobody see a difference between dirfd/name and other_dirfd/name? */
ocib_errc ob_entry_is_same(int dirfd, const struct stat *st, int other_dirfd,
			   const struct stat *other, const char *name, bool *same,
			   ocib_error **err);

#endif
