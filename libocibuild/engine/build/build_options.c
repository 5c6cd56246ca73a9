/* engine/build/build_options.c — what the caller asked for, checked before anything is read. */
#include <string.h>
#include "base/limits.h"
#include "base/options.h"
#include "base/strings.h"
#include "engine/build/annotations.h"
#include "engine/build/build.h"

static ocib_errc set_compression(ob_build *build, ocib_error **err)
{
	const char *name = build->options.compression;
	int level = build->options.compression_level;
	int max = 9;

	if (!name || ob_str_eq(name, "gzip")) {
		build->writer.compression = OB_COMPRESSION_GZIP;
	} else if (ob_str_eq(name, "zstd")) {
		build->writer.compression = OB_COMPRESSION_ZSTD;
		max = 22;
	} else if (ob_str_eq(name, "uncompressed")) {
		build->writer.compression = OB_COMPRESSION_NONE;
	} else {
		return ob_fail(err, OCIB_ERR_INVALID,
			       "compression is gzip, zstd or uncompressed, not '%s'", name);
	}
	if (level < 0 || level > max)
		return ob_fail(err, OCIB_ERR_INVALID, "compression level %d is not in 0 to %d",
			       level, max);
	build->writer.level = level;
	build->writer.threads = ob_context_jobs(build->ctx);
	return OCIB_OK;
}

static ocib_errc set_tags(ob_build *build, ocib_error **err)
{
	for (const char *const *tag = build->options.tags; tag && *tag; tag++) {
		ob_autodone(ob_reference) ref = {0};

		ocib_errc r = ob_reference_parse(*tag, &ref, err);
		if (r == OCIB_OK && ob_digest_is_set(&ref.digest))
			r = ob_fail(err, OCIB_ERR_INVALID, "a tag cannot have a digest: '%s'",
				    *tag);
		if (r == OCIB_OK)
			r = ob_reference_default_tag(&ref, err);
		if (r < 0)
			return r;
		ob_autofree char *full = ob_reference_format(&ref);
		if (!full)
			return ob_fail_nomem(err);
		if (!ob_strlist_contains(&build->tags, full) &&
		    ob_strlist_add(&build->tags, full) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

/* "HOST:IP" or "HOST=IP" to a line of /etc/hosts; an IPv6 address may be in brackets. */
static ocib_errc set_extra_hosts(ob_build *build, ocib_error **err)
{
	for (const char *const *one = build->options.add_hosts; one && *one; one++) {
		size_t host = strcspn(*one, ":=");
		const char *address = (*one)[host] ? *one + host + 1 : "";
		size_t len = strlen(address);

		if (len > 2 && address[0] == '[' && address[len - 1] == ']') {
			address++;
			len -= 2;
		}
		if (!host || !len || strpbrk(*one, " \t\n"))
			return ob_fail(err, OCIB_ERR_INVALID, "an added host is HOST:IP, not '%s'",
				       *one);
		if (ob_str_eq(address, "host-gateway"))
			return ob_fail(err, OCIB_ERR_UNSUPPORTED,
				       "'host-gateway' of --add-host is not implemented");
		if (ob_strlist_add_printf(&build->extra_hosts, "%.*s %.*s", (int)len, address,
					  (int)host, *one) < 0)
			return ob_fail_nomem(err);
	}
	return OCIB_OK;
}

/* The option, else the build argument of that name. The plan may find one more, in an ARG. */
static void set_epoch(ob_build *build)
{
	static const char name[] = "SOURCE_DATE_EPOCH=";

	build->has_epoch = build->epoch_asked = build->options.has_source_date_epoch != 0;
	build->epoch = build->options.source_date_epoch;
	if (build->has_epoch)
		return;
	for (const char *const *arg = build->options.build_args; arg && *arg; arg++) {
		const char *value = *arg + strlen(name);

		if (!ob_str_starts(*arg, name) || !*value)
			continue;
		build->epoch_asked = true;
		build->has_epoch = ob_parse_i64(value, &build->epoch); /* else the plan knows */
	}
}

static ocib_errc add_platform(ob_build *build, const char *text, ocib_error **err)
{
	ob_platform platform;

	if (ob_str_eq_nocase(text, "local"))
		ob_platform_host(&platform);
	else if (ob_platform_parse(text, &platform, err))
		return OCIB_ERR_INVALID;
	for (size_t i = 0; i < build->platform_count; i++)
		if (ob_platform_eq(&build->platforms[i], &platform))
			return OCIB_OK;
	if (build->platform_count == OB_LIMIT_PLATFORMS)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "more than %d platforms (limit OB_LIMIT_PLATFORMS)",
			       OB_LIMIT_PLATFORMS);
	build->platforms[build->platform_count++] = platform;
	return OCIB_OK;
}

/* Does a build argument ask for an index where one platform alone is built? BuildKit's spelling. */
static bool asks_for_index(const ob_build *build)
{
	static const char name[] = "BUILDKIT_MULTI_PLATFORM=";
	const char *value = "";

	for (const char *const *arg = build->options.build_args; arg && *arg; arg++)
		if (ob_str_starts(*arg, name))
			value = *arg + strlen(name);
	return ob_str_eq(value, "1") || ob_str_eq_nocase(value, "t") ||
	       ob_str_eq_nocase(value, "true");
}

/* "linux/amd64,linux/arm64"; of two that are the same one counts. */
static ocib_errc set_platforms(ob_build *build, ocib_error **err)
{
	const char *given = build->options.platform;

	build->platforms = calloc(OB_LIMIT_PLATFORMS, sizeof(*build->platforms));
	if (!build->platforms)
		return ob_fail_nomem(err);
	build->platform_given = given && *given;
	if (!build->platform_given)
		given = "local";
	while (*given) {
		size_t len = strcspn(given, ",");
		ob_autofree char *one = strndup(given, len);
		ocib_errc r = one ? add_platform(build, one, err) : ob_fail_nomem(err);

		if (r)
			return r;
		given += len + (given[len] == ',');
	}
	build->makes_index = build->platform_count > 1 || asks_for_index(build);
	return OCIB_OK;
}

static ocib_errc check_annotations(ob_build *build, ocib_error **err)
{
	return ob_annotations_check(build->options.annotations, build->platforms,
				    build->platform_count, build->makes_index, err);
}

ocib_errc ob_build_check_options(ob_build *build, const ocib_build_options *options,
				 ocib_error **err)
{
	ocib_errc r = ob_options_load(&build->options, options, err);

	if (r == OCIB_OK)
		r = set_compression(build, err);
	if (r == OCIB_OK)
		r = set_tags(build, err);
	if (r == OCIB_OK)
		r = set_extra_hosts(build, err);
	set_epoch(build);
	if (r == OCIB_OK)
		r = set_platforms(build, err);
	if (r == OCIB_OK)
		r = check_annotations(build, err);
	if (r == OCIB_OK)
		r = ob_secrets_load(build->options.secrets, build->options.secret_count,
				    &build->secrets, err);
	if (r == OCIB_OK)
		r = ob_cache_carry_init(
			&build->caches, build->ctx, build->store, build->options.cache_mount_from,
			build->options.cache_mount_to, build->options.plain_http != 0, err);
	if (r == OCIB_OK)
		r = ob_ssh_sockets_load(build->options.ssh, build->options.ssh_count, &build->ssh,
					err);
	if (r == OCIB_OK)
		r = ob_build_check_outputs(build, err);
	return r;
}
