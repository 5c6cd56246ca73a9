/* engine/copy/copy_inside.h — a copy job, for the files of this folder only. */
#ifndef OB_ENGINE_COPY_INSIDE_H
#define OB_ENGINE_COPY_INSIDE_H

#include "engine/copy.h"
#include "engine/copy/copy_source.h"
#include "engine/copy/target_tree.h"

/**
 * One thing that a source names: a file, a directory with what is in it, a file in the Dockerfile, or one
 * that came from a URL.
 */
typedef struct ob_copy_match {
	const ob_copy_source *from;
	char *name; /**< what it is called below a destination directory */
	char *root; /**< entry path in the source, links followed; files' paths begin with it */
	ob_copy_files files; /**< the root itself first; empty for what has no source reader */
	const ob_remote_file *remote;  /**< of a URL, or NULL */
	ob_copy_source_reader *source; /**< what the files are in; borrowed from the job; or NULL */
	ob_context_scan *scan;         /**< the same, when it is a directory */
} ob_copy_match;

struct ob_copy_job {
	ocib_context *ctx;                 /* borrowed; to be asked whether to stop */
	ob_copy_input input;               /* trees are referenced */
	ob_copy_source_reader *source;     /* of paths, or NULL: there are none */
	ob_copy_source_reader **checkouts; /* of git sources, at their index; or NULL */
	ob_copy_match *matches;
	size_t match_count, match_cap;
	uint32_t group_count;
	int64_t now; /* of what the step itself makes */
	uint8_t digest[OB_SHA256_LEN];

	/* Known when it is written. */
	const ob_layer_stack *base;
	ob_target_tree *target;
	bool has_owner; /* --chown */
	uint32_t uid, gid;
	bool has_mode; /* --chmod in octal */
	uint32_t mode;
	ob_tree_reader *base_reader; /* made when a file of the base is linked to */
	ob_blob_writer *spool;       /* contents out of archives */
	uint64_t spool_len;
};

static inline const ob_copy_op *ob_job_op(const ob_copy_job *job)
{
	return &job->input.step->copy;
}

/* copy_match.c */
/** Find what the sources of the step name. */
ocib_errc ob_copy_find_matches(ob_copy_job *job, ocib_error **err);
/** An error that points at a source's word in the Dockerfile. */
ocib_errc ob_copy_locate(const ob_copy_job *job, const ob_location *at, ocib_errc code,
			 ocib_error **err);

/* copy_collect.c */
/** All that is copied of a match's root: --exclude and --parents applied. */
ocib_errc ob_copy_collect(ob_copy_job *job, ob_copy_match *match, const char *include,
			  ocib_error **err);
/** Can @p path match a pattern, segment by segment (*whole), or something below it? Not for "**". */
bool ob_pattern_may_match(const char *pattern, const char *path, bool *whole);

/* hard_links.c */
/** Give the files of a match that are one file a common group number. */
ocib_errc ob_copy_group_links(ob_copy_job *job, ob_copy_match *match, ocib_error **err);

/* copy_place.c */
/** Put a match into the target tree, as the step says. */
ocib_errc ob_copy_place(ob_copy_job *job, ob_copy_match *match, ocib_error **err);
/** How new parents of a destination are made. */
ob_new_dirs ob_copy_new_dirs(const ob_copy_job *job);

/* unpack_archive.c */
/** ADD: put an archive's content into the target tree. *done: it was one. */
ocib_errc ob_copy_unpack(ob_copy_job *job, const ob_copy_match *match, bool *done,
			 ocib_error **err);

/* copy_write.c */
ocib_errc ob_copy_write_target(ob_copy_job *job, ob_layer_writer *writer, ocib_error **err);

#endif
