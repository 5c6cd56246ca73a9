/* engine/context/remote_context.h — a build context that is no local directory, brought here.
 *
 * An archive becomes a tree; anything else a directory of its own in the store's temporary space, which
 * lasts as long as this object.
 */
#ifndef OB_ENGINE_REMOTE_CONTEXT_H
#define OB_ENGINE_REMOTE_CONTEXT_H

#include "engine/source/secrets.h"
#include "engine/tree.h"

typedef struct ob_remote_context {
	ob_store *store; /**< borrowed */
	char *temp;      /**< relative to the store, or NULL */
	char *dir;       /**< the context in it, absolute */
	ob_tree *tree;   /**< an archive's content, or NULL */
	char *text;      /**< when it is nothing but a Dockerfile: that; or NULL */
	size_t text_len;
	bool has_time; /**< where it was wanted, and there is one */
	int64_t time; /**< of the commit; what the server says, else the latest of an archive's files */
} ob_remote_context;

void ob_remote_context_done(ob_remote_context *context);

/** What a single file from a URL is called in its context. */
#define OB_REMOTE_CONTEXT_FILE "context"

/** Is @p text the address of a context: a URL of a file or a git repository? */
bool ob_is_remote_context(const char *text);

typedef struct ob_remote_context_options {
	bool is_main; /**< an archive is unpacked, any other file is the Dockerfile; else it is a file */
	bool keep_git_dir;         /**< of a repository, whatever its address says */
	bool commit_time;          /**< the same */
	const char *ssh_agent;     /**< socket of the agent for ssh; NULL: that of who runs us */
	bool wants_time;           /**< see ob_remote_context.time */
	const ob_secrets *secrets; /**< credentials may be among them; or NULL */
	uint32_t step;             /**< for progress events */
} ob_remote_context_options;

/**
 * What is behind @p address. Of a URL that is no git repository a named context is always a directory with
 * the one file in it.
 * Kinds: those of ob_remote_file_fetch() and ob_git_checkout(); INVALID (address); CORRUPT and LIMIT of
 * archives; SYNTAX: no Dockerfile can be that.
 */
ocib_errc ob_remote_context_fetch(ocib_context *ctx, ob_store *store, const char *address,
				  const ob_remote_context_options *options, ob_remote_context *out,
				  ocib_error **err);
/** The same from a descriptor, which is read to its end; where it is a Dockerfile, the context is empty. */
ocib_errc ob_remote_context_read(ocib_context *ctx, ob_store *store, int fd,
				 const ob_remote_context_options *options, ob_remote_context *out,
				 ocib_error **err);

#endif
