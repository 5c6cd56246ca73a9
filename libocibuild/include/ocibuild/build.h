/* ocibuild/build.h — one build of one Dockerfile. */
#ifndef OCIBUILD_BUILD_H
#define OCIBUILD_BUILD_H

#include <ocibuild/image.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One --output. */
typedef struct ocib_output {
	/** "store" (default), "oci", "docker", "registry", "local", "tar"; "cacheonly" is nowhere */
	const char *type;
	const char *dest; /**< file or directory; "-" is fd 1 for archives */
	int tar;          /**< oci: 1 (default) an archive, 0 a layout directory; -1: default */
	const char *name; /**< registry: names to push to, comma-separated; default: the tags */
} ocib_output;

/**
 * One --secret. It is in the memory of the build and of the commands that ask
 * for it, and in no layer, cache key, history, log or list of processes.
 */
typedef struct ocib_secret {
	const char *id;
	const char *path; /**< file with the content; NULL: it is @ref data */
	const void *data;
	size_t len;
} ocib_secret;

/** One --ssh, for RUN --mount=type=ssh: steps may ask for its public keys and have something signed. */
typedef struct ocib_ssh {
	const char *id; /**< default "default" */
	/** NULL-terminated: the socket of an agent; or the files of keys without a passphrase, which an
	 * ssh-agent gets that lasts as long as the build */
	const char *const *paths;
} ocib_ssh;

/** What to build. Start from OCIB_BUILD_OPTIONS_INIT; a zero field means its default. Borrowed. */
typedef struct ocib_build_options {
	size_t size;             /**< sizeof this struct, set by the initialiser */
	const char *context_dir; /**< default "." */
	/** URL or path, relative to the working directory; default: Dockerfile in the context. */
	const char *dockerfile;
	const char *dockerfile_text; /**< instead of a file */
	const char *target;          /**< stage to stop at; default the last one */
	/** "linux/amd64"; several, comma-separated, give an index; default: this machine's */
	const char *platform;
	const char *const *tags;           /**< NULL-terminated */
	const char *const *build_args;     /**< "KEY=VALUE", NULL-terminated */
	const char *const *build_contexts; /**< "NAME=VALUE", NULL-terminated */
	const char *const *labels;         /**< "KEY=VALUE", NULL-terminated */
	/** "KEY=VALUE" for the manifest, or "PLACE:KEY=VALUE" as docker buildx has it; NULL-terminated */
	const char *const *annotations;
	const char *const *no_cache_stages; /**< NULL-terminated */
	const char *const *add_hosts;       /**< "HOST:IP", NULL-terminated */
	const char *const *ulimits;         /**< "TYPE=SOFT[:HARD]", NULL-terminated */
	const ocib_output *outputs;         /**< default: the store */
	size_t output_count;
	int no_cache;            /**< non-zero: run every step */
	int pull;                /**< non-zero: look for newer bases */
	int push;                /**< non-zero: also push all tags */
	const char *network;     /**< "default", "none", "host" */
	uint64_t shm_size;       /**< bytes; 0: 64 MiB */
	const char *compression; /**< "gzip" (default), "zstd", "uncompressed" */
	int compression_level;   /**< 0: default */
	int force_compression;   /**< non-zero: base layers are recompressed too */
	/** PEM for RUN; default: the host's bundle when it differs from the base's; "" none. */
	const char *ca_cert;
	int has_source_date_epoch;
	int64_t source_date_epoch; /**< seconds */
	uint32_t jobs;             /**< steps at once; 0: as the context says */
	int plain_http;            /**< non-zero: registries over HTTP */
	/**
	 * Non-zero: the manifest says in org.opencontainers.image.base.name and .digest which image
	 * the target stands on.
	 */
	int annotate_base;
	/**
	 * "NAME=VALUE", NULL-terminated: what a FROM or a --from of that image name stands for, as
	 * with build_contexts, except that a stage of the same name stays what it is.
	 */
	const char *const *base_images;
	/** For RUN --mount=type=secret, and for ADD and contexts behind HTTP(S) and git URLs where the id is
	 * GIT_AUTH_TOKEN or the like (docs/dockerfile.md); of two with one id the later counts. */
	const ocib_secret *secrets;
	size_t secret_count;
	/**
	 * Instead of context_dir: a directory; a git repository (URL#REF:DIR); an http or https URL of
	 * an archive or of a Dockerfile; or "-": an archive or a Dockerfile is read from context_fd. No ignore file speaks of what is
	 * no directory, and dockerfile is a path in it unless it is absolute.
	 */
	const char *context;
	int context_fd; /**< read to its end; borrowed; default standard input */
	/** For RUN --mount=type=ssh, "default" for git repositories too; each has an id of its own. */
	const ocib_ssh *ssh;
	size_t ssh_count;
	/**
	 * What RUNs may ask for beyond the usual, NULL-terminated: "network.host" (included in the
	 * network "host"), "security.insecure".
	 */
	const char *const *allow;
	/**
	 * Cache mounts of RUNs from and to other machines, NULL-terminated: a directory ("/…", "./…",
	 * "oci:DIR[:TAG]"), a tar (a path that ends in ".tar", "oci-archive:FILE[:TAG]"), an artifact in
	 * a registry (NAME, "docker://NAME"). A cache that is in the store is not taken from elsewhere;
	 * those that the build used are written when it has succeeded.
	 */
	const char *const *cache_mount_from;
	const char *const *cache_mount_to;
} ocib_build_options;
#define OCIB_BUILD_OPTIONS_INIT OCIB_OPTIONS_INIT(ocib_build_options)

/**
 * Build an image and leave it in @p store and in the outputs.
 *
 * Progress and RUN output arrive through the context's event callback, on this thread.
 * @param out  receives the image, of several the first platform's; free with ocib_image_free(). Untouched on failure. May be NULL.
 * @return OCIB_OK. Branch on: OCIB_ERR_SYNTAX, OCIB_ERR_UNSUPPORTED, OCIB_ERR_NOTFOUND,
 *         OCIB_ERR_COMMAND, OCIB_ERR_DENIED, OCIB_ERR_NETWORK, OCIB_ERR_PROTOCOL, OCIB_ERR_CANCELED.
 */
OCIB_API ocib_errc ocib_build_run(ocib_context *ctx, ocib_store *store,
				  const ocib_build_options *options, ocib_image **out,
				  ocib_error **err);

#ifdef __cplusplus
}
#endif
#endif
