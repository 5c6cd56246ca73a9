/* base/cleanup.h — an owning local is declared once and released on every path.
 *
 * Declare with a cleanup and an empty value; on success move the value out with ob_take_ptr() or
 * ob_take_fd(), which leave the empty value behind. There is no goto in this project.
 */
#ifndef OB_BASE_CLEANUP_H
#define OB_BASE_CLEANUP_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

static inline void ob_freep(void *p)
{
	free(*(void **)p);
}

static inline void ob_closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void ob_closedirp(DIR **dir)
{
	if (*dir)
		(void)closedir(*dir);
}

#define ob_autofree   __attribute__((cleanup(ob_freep)))
#define ob_autofd     __attribute__((cleanup(ob_closep)))
#define ob_autodir    __attribute__((cleanup(ob_closedirp)))
#define ob_auto(type) __attribute__((cleanup(type##_freep))) type *
/** An embedded object with _done(): `ob_autodone(ob_buffer) b = …;`. */
#define ob_autodone(type) __attribute__((cleanup(type##_done))) type

#define ob_take_ptr(p)                                \
	__extension__({                               \
		__typeof__(p) *pp_ = &(p), v_ = *pp_; \
		*pp_ = NULL;                          \
		v_;                                   \
	})
#define ob_take_fd(fd)                        \
	__extension__({                       \
		int *fp_ = &(fd), fv_ = *fp_; \
		*fp_ = -1;                    \
		fv_;                          \
	})

/** For a type with `type *type_free(type *)`: lets ob_auto(type) work. */
#define OB_DEFINE_AUTO(type)                      \
	static inline void type##_freep(type **p) \
	{                                         \
		*p = type##_free(*p);             \
	}                                         \
	struct ob_semicolon_

#endif
