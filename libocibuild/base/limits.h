/* base/limits.h — every maximum that input from outside is held to, in one list.
 *
 * Sizes are bytes. A limit's name appears in the error that it causes.
 */
#ifndef OB_BASE_LIMITS_H
#define OB_BASE_LIMITS_H

#define OB_KIB (1024ULL)
#define OB_MIB (1024ULL * OB_KIB)
#define OB_GIB (1024ULL * OB_MIB)

/* Documents */
#define OB_LIMIT_JSON_DEPTH      64
#define OB_LIMIT_JSON            (32 * OB_MIB)
#define OB_LIMIT_MANIFEST        (4 * OB_MIB)
#define OB_LIMIT_CONFIG          (8 * OB_MIB)
#define OB_LIMIT_MANIFEST_LAYERS 1024
#define OB_LIMIT_CONFIG_HISTORY  65536
#define OB_LIMIT_INDEX_MANIFESTS 4096
#define OB_LIMIT_PLATFORMS       64 /* that one build is for */
#define OB_LIMIT_REFERENCE       4096
#define OB_LIMIT_DOCKERFILE      (16 * OB_MIB)
#define OB_LIMIT_DOCKERFILE_LINE 65535
#define OB_LIMIT_INSTRUCTIONS    100000
#define OB_LIMIT_FINDINGS        4096 /* of one check that are shown; the rest is counted */
#define OB_LIMIT_IGNORE_FILE     (4 * OB_MIB)
#define OB_LIMIT_IGNORE_PATTERNS 65536
#define OB_LIMIT_IGNORE_PATTERN  4096 /* no path is longer */
#define OB_LIMIT_EXPANSION       (4 * OB_MIB)
#define OB_LIMIT_SHELL_DEPTH     64            /* ${a:-${b:-…}} */
#define OB_LIMIT_SHELL_STEPS     (64 * OB_MIB) /* in one word: characters moved and compared */
#define OB_LIMIT_STAGES          2048
#define OB_LIMIT_ONBUILD         4096           /* triggers that one FROM may bring in */
#define OB_LIMIT_VARIABLES       8192           /* of one stage */
#define OB_LIMIT_ENVIRONMENT     (4 * OB_MIB)   /* of one stage, all variables together */
#define OB_LIMIT_PLAN            (128 * OB_MIB) /* text of all steps, histories, environments */
#define OB_LIMIT_DOCKER_CONFIG   (1 * OB_MIB)
#define OB_LIMIT_STAT_CACHE      (256 * OB_MIB)

/* Layers */
#define OB_LIMIT_BLOB            (1024 * OB_GIB)
#define OB_LIMIT_TAR_NAME        (64 * OB_KIB)
#define OB_LIMIT_TAR_XATTRS      (1 * OB_MIB)
#define OB_LIMIT_LAYER_ENTRIES   20000000
#define OB_LIMIT_LAYER_INDEX     (1 * OB_GIB)
#define OB_LIMIT_EXPANSION_RATIO 2000 /* unpacked : packed, once past OB_LIMIT_EXPANSION_FREE */
#define OB_LIMIT_EXPANSION_FREE  (256 * OB_MIB)
#define OB_LIMIT_PATH_DEPTH      4096
#define OB_LIMIT_TREE_DEPTH      250 /* directories in one another that a step may leave behind */
#define OB_LIMIT_SYMLINKS        40
#define OB_LIMIT_ARCHIVE_FILES   16384 /* in an archive of images */

/* HTTP */
#define OB_LIMIT_HTTP_HEADERS        (256 * OB_KIB)
#define OB_LIMIT_HTTP_REDIRECTS      10
#define OB_LIMIT_HTTP_ERROR_BODY     (64 * OB_KIB)
#define OB_LIMIT_TOKEN               (1 * OB_MIB)
#define OB_LIMIT_URL                 (64 * OB_KIB)
#define OB_LIMIT_HTTP_MESSAGE        300 /* of a server's own words that are repeated in an error */
#define OB_LIMIT_HTTP_FAILURES       6   /* in a row, before a request is given up */
#define OB_LIMIT_HTTP_RETRY_AFTER    60 /* seconds; a server that asks for more is not waited for */
#define OB_LIMIT_REMOTE_FILE         (64 * OB_GIB) /* what ADD and a context's URL may bring */
#define OB_LIMIT_GIT_OUTPUT          (4 * OB_MIB)  /* of ls-remote and its kin */
#define OB_LIMIT_GIT_MESSAGE         (64 * OB_KIB) /* of what git complains about */
#define OB_LIMIT_CA_BUNDLE           (16 * OB_MIB)
#define OB_LIMIT_AUTH_CHALLENGES     16
#define OB_LIMIT_AUTH_PARAMS         32
#define OB_LIMIT_AUTH_HELPER_SECONDS 120
#define OB_LIMIT_TAG_PAGE            (4 * OB_MIB)
#define OB_LIMIT_TAG_PAGES           1000

/* Steps */
#define OB_LIMIT_WORKER_MESSAGE (64 * OB_MIB)
#define OB_LIMIT_OUTPUT_LINE    (64 * OB_KIB) /* longer lines are handed on in pieces */
#define OB_LIMIT_OUTPUT_TAIL    20            /* lines of output kept for the error of a RUN */
#define OB_LIMIT_PASSWD         (8 * OB_MIB)
#define OB_LIMIT_SECRET         (500 * OB_KIB)
#define OB_LIMIT_CACHE_DIRS     1024 /* directories of one cache mount in use at the same time */
#define OB_LIMIT_RUN_PORTS      128  /* published by one container */
#define OB_LIMIT_SSH_MESSAGE    (256 * OB_KIB) /* of an ssh agent's protocol, as OpenSSH has it */
#define OB_LIMIT_SSH_SOCKETS    64             /* of different agent, owner or mode in one build */
#define OB_LIMIT_SSH_CLIENTS    64             /* at once; the next ones wait */
#define OB_LIMIT_SSH_KEY        (100 * OB_KIB)

#endif
