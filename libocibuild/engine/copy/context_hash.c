/* engine/copy/context_hash.c — digests of a context's files: remembered, or read on all cores.
 *
 * The stat cache is asked first, in one go, on the caller's thread. What it does not know is read by
 * several threads that take file after file from a shared counter. A file with extended attributes is
 * not remembered: so what is remembered has none, and a hit spares the call that would list them.
 */
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/sysmacros.h>
#include "base/threads.h"
#include "engine/copy/context_source.h"
#include "io/hash.h"

#define READ_BUFFER    (256 * 1024)
#define FILES_A_THREAD 16 /* fewer are not worth starting a thread */
#define MOST_THREADS   16

typedef struct hash_job {
	const ob_context_scan *scan;
	ob_copy_file **files;
	size_t count;
	atomic_size_t next;
	pthread_mutex_t lock; /* of what follows */
	ocib_errc failed;
	ocib_error *error; /* the first */
} hash_job;

static ocib_errc hash_content(int fd, ob_copy_file *file, ob_hash *hash, void *buffer,
			      ocib_error **err)
{
	for (;;) {
		ssize_t got = read(fd, buffer, READ_BUFFER);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ob_fail_errno(err, "read '%s' of the build context", file->path);
		if (got == 0)
			break;
		ob_hash_update(hash, buffer, (size_t)got);
		/* A regular file gives less than asked for only at its end. */
		if (got < READ_BUFFER)
			break;
	}
	ob_hash_final(hash, file->digest);
	file->has_digest = true;
	return OCIB_OK;
}

static ocib_errc hash_file(const ob_context_scan *scan, ob_copy_file *file, ob_hash *hash,
			   void *buffer, ocib_error **err)
{
	ob_autofd int fd = -1;
	ocib_errc r = ob_context_open_file(scan, file, &fd, err);

	if (!r)
		r = ob_context_read_xattrs(fd, file, err);
	if (!r)
		r = hash_content(fd, file, hash, buffer, err);
	return r ? r : ob_context_check_file(file, fd, err);
}

static void fail_job(hash_job *job, ocib_errc code, ocib_error **error)
{
	(void)pthread_mutex_lock(&job->lock);
	if (!job->failed) {
		job->failed = code;
		job->error = ob_take_ptr(*error);
	}
	(void)pthread_mutex_unlock(&job->lock);
	ocib_error_free(*error);
	atomic_store(&job->next, job->count);
}

static void *hash_some(void *arg)
{
	hash_job *job = arg;
	ob_auto(ob_hash) hash = NULL;
	ob_autofree void *buffer = malloc(READ_BUFFER);
	ocib_error *error = NULL;
	ocib_errc r = buffer ? ob_hash_new(&hash, &error) : ob_fail_nomem(&error);

	while (!r) {
		size_t i = atomic_fetch_add(&job->next, 1);

		if (i >= job->count)
			return NULL;
		r = ob_check_canceled(job->scan->ctx, &error);
		if (!r)
			r = hash_file(job->scan, job->files[i], hash, buffer, &error);
	}
	fail_job(job, r, &error);
	return NULL;
}

static ocib_errc run_job(hash_job *job, ocib_error **err)
{
	pthread_t threads[MOST_THREADS];
	uint32_t started = 0, wanted = ob_context_jobs(job->scan->ctx);

	if (wanted > job->count / FILES_A_THREAD)
		wanted = (uint32_t)(job->count / FILES_A_THREAD);
	if (wanted > MOST_THREADS)
		wanted = MOST_THREADS;
	(void)pthread_mutex_init(&job->lock, NULL);
	/* This thread is one of them. */
	while (started + 1 < wanted && ob_thread_start(&threads[started], hash_some, job) == 0)
		started++;
	(void)hash_some(job);
	for (uint32_t i = 0; i < started; i++)
		(void)pthread_join(threads[i], NULL);
	(void)pthread_mutex_destroy(&job->lock);
	return job->failed ? (ob_error_move(err, &job->error), job->failed) : OCIB_OK;
}

/* As much of a stat as the cache's key is made of. */
static void stamp_to_stat(const ob_copy_file *file, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_mode = S_IFREG;
	st->st_dev = file->stamp.dev;
	st->st_ino = file->stamp.ino;
	st->st_size = (off_t)file->size;
	st->st_mtim.tv_sec = file->stamp.mtime_sec;
	st->st_mtim.tv_nsec = file->stamp.mtime_nsec;
	st->st_ctim.tv_sec = file->stamp.ctime_sec;
	st->st_ctim.tv_nsec = file->stamp.ctime_nsec;
}

/* Under lock. */
static void remember(ob_context_scan *scan, const ob_copy_file *file)
{
	struct stat st;

	if (file->xattr_count || !scan->cache)
		return;
	stamp_to_stat(file, &st);
	ob_stat_cache_put(scan->cache, file->path, &st, file->digest);
}

/* Fill in what is remembered, remember what was read meanwhile, and list the rest. */
static ocib_errc look_up(ob_context_scan *scan, ob_copy_files *files, ob_copy_file ***rest,
			 size_t *count, ocib_error **err)
{
	*rest = calloc(files->len + 1, sizeof(ob_copy_file *));
	if (!*rest)
		return ob_fail_nomem(err);
	(void)pthread_mutex_lock(&scan->lock);
	for (size_t i = 0; i < files->len; i++) {
		ob_copy_file *file = &files->items[i];
		struct stat st;

		if (file->type != OB_ENTRY_FILE)
			continue;
		if (file->has_digest) {
			remember(scan, file);
			continue;
		}
		stamp_to_stat(file, &st);
		file->has_digest = scan->cache &&
				   ob_stat_cache_get(scan->cache, file->path, &st, file->digest);
		if (!file->has_digest)
			(*rest)[(*count)++] = file;
	}
	(void)pthread_mutex_unlock(&scan->lock);
	return OCIB_OK;
}

ocib_errc ob_context_hash_files(ob_context_scan *scan, ob_copy_files *files, ocib_error **err)
{
	ob_autofree ob_copy_file **rest = NULL;
	hash_job job = {.scan = scan};
	ocib_errc r = look_up(scan, files, &rest, &job.count, err);

	if (r || !job.count)
		return r;
	job.files = rest;
	r = run_job(&job, err);
	if (r)
		return r;
	(void)pthread_mutex_lock(&scan->lock);
	for (size_t i = 0; i < job.count; i++)
		remember(scan, rest[i]);
	(void)pthread_mutex_unlock(&scan->lock);
	return OCIB_OK;
}
