/* registry/curl_pool.c — handles of libcurl, taken and given back.
 *
 * A handle is an easy handle in a multi handle of its own: the connection cache lives in the latter,
 * so a handle that is taken again goes on over the same connection.
 *
 * Trust: $SSL_CERT_FILE where set, else what libcurl was built with. A --ca-cert is added to that
 * bundle in memory, since libcurl takes one bundle and not two.
 */
#include "registry/curl_pool.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include "base/fds.h"
#include "base/limits.h"
#include "base/strings.h"

#define CONNECT_SECONDS 30L
#define STALL_SECONDS   60L
#define BUFFER_BYTES    (256L * 1024)

struct ob_curl_pool {
	pthread_mutex_t lock;
	ob_curl_handle *idle;
	CURLSH *share;
	pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
	bool skip_tls_verify;
	char *bundle;  /* path of $SSL_CERT_FILE, or NULL */
	ob_buffer pem; /* bundle and the extra file, or empty */
};

static void lock_share(CURL *easy, curl_lock_data data, curl_lock_access access, void *arg)
{
	ob_curl_pool *pool = arg;

	(void)easy;
	(void)access;
	pthread_mutex_lock(&pool->share_locks[data]);
}

static void unlock_share(CURL *easy, curl_lock_data data, void *arg)
{
	ob_curl_pool *pool = arg;

	(void)easy;
	pthread_mutex_unlock(&pool->share_locks[data]);
}

static const char *system_bundle(const ob_curl_pool *pool)
{
	if (pool->bundle)
		return pool->bundle;
	const curl_version_info_data *info = ob_curl.curl_version_info(CURLVERSION_NOW);

	if (info->age >= CURLVERSION_SEVENTH && info->cainfo)
		return info->cainfo;
	return "/etc/ssl/certs/ca-certificates.crt";
}

/*
 * Bundle and extra file in one piece of memory. A machine without a bundle trusts the extra file
 * only.
 */
static ocib_errc load_trust(ob_curl_pool *pool, const char *ca_file, ocib_error **err)
{
	ob_auto(ocib_error) ignored = NULL;

	if (ob_read_file(AT_FDCWD, system_bundle(pool), &pool->pem, &ignored))
		ob_buffer_clear(&pool->pem);
	ob_buffer_append_char(&pool->pem, '\n');
	ocib_errc rc = ob_read_file(AT_FDCWD, ca_file, &pool->pem, err);
	return rc ? ob_wrap(err, rc, "certificates in '%s'", ca_file) : OCIB_OK;
}

static ocib_errc open_share(ob_curl_pool *pool, ocib_error **err)
{
	pool->share = ob_curl.curl_share_init();
	if (!pool->share)
		return ob_fail_nomem(err);
	ob_curl.curl_share_setopt(pool->share, CURLSHOPT_LOCKFUNC, lock_share);
	ob_curl.curl_share_setopt(pool->share, CURLSHOPT_UNLOCKFUNC, unlock_share);
	ob_curl.curl_share_setopt(pool->share, CURLSHOPT_USERDATA, pool);
	ob_curl.curl_share_setopt(pool->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	ob_curl.curl_share_setopt(pool->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	return OCIB_OK;
}

ocib_errc ob_curl_pool_new(const char *ca_file, bool skip_tls_verify, ob_curl_pool **out,
			   ocib_error **err)
{
	const char *bundle = getenv("SSL_CERT_FILE");

	ob_auto(ob_curl_pool) pool = calloc(1, sizeof(*pool));
	ocib_errc rc = ob_curl_library_load(err);

	if (rc)
		return rc;
	if (!pool)
		return ob_fail_nomem(err);
	pthread_mutex_init(&pool->lock, NULL);
	for (size_t i = 0; i < OB_ARRAY_LEN(pool->share_locks); i++)
		pthread_mutex_init(&pool->share_locks[i], NULL);
	pool->skip_tls_verify = skip_tls_verify;
	pool->pem = (ob_buffer)OB_BUFFER_INIT(OB_LIMIT_CA_BUNDLE, "certificates");
	if (bundle && *bundle) {
		pool->bundle = strdup(bundle);
		if (!pool->bundle)
			return ob_fail_nomem(err);
	}
	rc = ca_file ? load_trust(pool, ca_file, err) : OCIB_OK;
	if (!rc)
		rc = open_share(pool, err);
	if (rc)
		return rc;
	*out = ob_take_ptr(pool);
	return OCIB_OK;
}

static void free_handle(ob_curl_handle *handle)
{
	if (handle->easy)
		ob_curl.curl_easy_cleanup(handle->easy);
	if (handle->multi)
		ob_curl.curl_multi_cleanup(handle->multi);
	free(handle);
}

ob_curl_pool *ob_curl_pool_free(ob_curl_pool *pool)
{
	if (!pool)
		return NULL;
	while (pool->idle) {
		ob_curl_handle *one = pool->idle;

		pool->idle = one->next;
		free_handle(one);
	}
	if (pool->share)
		ob_curl.curl_share_cleanup(pool->share);
	for (size_t i = 0; i < OB_ARRAY_LEN(pool->share_locks); i++)
		pthread_mutex_destroy(&pool->share_locks[i]);
	pthread_mutex_destroy(&pool->lock);
	ob_buffer_done(&pool->pem);
	free(pool->bundle);
	free(pool);
	return NULL;
}

static ob_curl_handle *new_handle(void)
{
	ob_curl_handle *handle = calloc(1, sizeof(*handle));

	if (!handle)
		return NULL;
	handle->easy = ob_curl.curl_easy_init();
	handle->multi = ob_curl.curl_multi_init();
	if (handle->easy && handle->multi)
		return handle;
	free_handle(handle);
	return NULL;
}

static void set_trust(const ob_curl_pool *pool, CURL *easy)
{
	if (pool->skip_tls_verify) {
		ob_curl.curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		ob_curl.curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (pool->pem.len) {
		struct curl_blob blob = {.data = pool->pem.data, .len = pool->pem.len};

		ob_curl.curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
	} else if (pool->bundle) {
		ob_curl.curl_easy_setopt(easy, CURLOPT_CAINFO, pool->bundle);
	}
}

static void set_defaults(const ob_curl_pool *pool, CURL *easy)
{
	ob_curl.curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	ob_curl.curl_easy_setopt(easy, CURLOPT_SHARE, pool->share);
#if LIBCURL_VERSION_NUM >= 0x075500
	ob_curl.curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	ob_curl.curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	ob_curl.curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	ob_curl.curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	ob_curl.curl_easy_setopt(easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
	ob_curl.curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	ob_curl.curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	ob_curl.curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	ob_curl.curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	ob_curl.curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, STALL_SECONDS);
	ob_curl.curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	ob_curl.curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	ob_curl.curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES);
	ob_curl.curl_easy_setopt(easy, CURLOPT_USERAGENT, "ocibuild");
	set_trust(pool, easy);
}

ocib_errc ob_curl_pool_take(ob_curl_pool *pool, ob_curl_handle **out, ocib_error **err)
{
	pthread_mutex_lock(&pool->lock);
	ob_curl_handle *handle = pool->idle;
	if (handle)
		pool->idle = handle->next;
	pthread_mutex_unlock(&pool->lock);
	if (!handle)
		handle = new_handle();
	if (!handle)
		return ob_fail_nomem(err);
	handle->next = NULL;
	ob_curl.curl_easy_reset(handle->easy);
	set_defaults(pool, handle->easy);
	*out = handle;
	return OCIB_OK;
}

void ob_curl_pool_give(ob_curl_pool *pool, ob_curl_handle *handle)
{
	pthread_mutex_lock(&pool->lock);
	handle->next = pool->idle;
	pool->idle = handle;
	pthread_mutex_unlock(&pool->lock);
}
