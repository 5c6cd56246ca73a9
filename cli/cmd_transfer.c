/* cli/cmd_transfer.c — pull, push, copy, import: images between the store and everywhere else. */
#include <stdlib.h>
#include <string.h>
#include "cli.h"
#include "progress.h"

typedef struct transfer_values {
	const char *platform, *ca_cert, *creds, *progress;
	int plain_http, skip_tls_verify, all, quiet;
} transfer_values;

#define AT(field) offsetof(transfer_values, field)
#define TRANSFER_OPTIONS(which)                                                                   \
	{"platform",   0,         CLI_STRING,                                                     \
	 AT(platform), "OS/ARCH", "which image of an index (default: " which ")"},                \
		{"all", 0, CLI_FLAG, AT(all), NULL, "the whole index with all its platforms"},    \
		{"creds",         0,                                                              \
		 CLI_STRING,      AT(creds),                                                      \
		 "USER:PASSWORD", "credentials (default: docker's config.json)"},                 \
		{"ca-cert", 0, CLI_STRING, AT(ca_cert), "FILE", "certificates to trust as well"}, \
		{"plain-http", 0, CLI_FLAG, AT(plain_http), NULL, "speak HTTP to the registry"},  \
		{"insecure-skip-tls-verify", 0,    CLI_FLAG,                                      \
		 AT(skip_tls_verify),        NULL, "accept any certificate"},                     \
		{"progress",   0,      CLI_STRING,                                                \
		 AT(progress), "MODE", "auto, tty, plain, quiet, rawjson (default: auto)"},       \
	{                                                                                         \
		"quiet", 'q', CLI_FLAG, AT(quiet), NULL, "print nothing but the digest"           \
	}
static const cli_option transfer_options[] = {TRANSFER_OPTIONS("this machine's"), CLI_OPTIONS_END};
static const cli_option push_options[] = {TRANSFER_OPTIONS("all of them"), CLI_OPTIONS_END};

typedef struct transfer_request {
	transfer_values v;
	ocib_transfer_options options;
	ocib_transfer_result result;
	char *username;
	char **rest;
	int count;
} transfer_request;

static int prepare(cli *app, const cli_command *self, int argc, char **argv, int least, int most,
		   transfer_request *r)
{
	int status = cli_parse(self, argc, argv, &r->v, &r->rest, &r->count);

	if (status != EXIT_OK)
		return status;
	if (r->count < least || r->count > most)
		return cli_usage_error(self, "takes %s", self->usage);
	if (r->v.progress && !progress_mode_is_known(r->v.progress))
		return cli_usage_error(self,
				       "--progress is auto, tty, plain, quiet or rawjson, not '%s'",
				       r->v.progress);
	if (r->v.creds) {
		const char *colon = strchr(r->v.creds, ':');

		if (!colon)
			return cli_usage_error(self, "--creds is USER:PASSWORD");
		r->username = strndup(r->v.creds, (size_t)(colon - r->v.creds));
		r->options.username = r->username;
		r->options.password = colon + 1;
	}
	r->options.platform = r->v.all ? "all" : r->v.platform;
	r->options.ca_cert = r->v.ca_cert;
	r->options.plain_http = r->v.plain_http;
	r->options.skip_tls_verify = r->v.skip_tls_verify;
	app->progress = r->v.quiet ? "quiet" : r->v.progress;
	return cli_open(app, true);
}

static int finish(cli *app, transfer_request *r, ocib_errc rc, ocib_error *err, const char *verb)
{
	char size[16];

	free(r->username);
	if (rc != OCIB_OK)
		return cli_report(app, err);
	progress_pause(app->view);
	cli_format_size(r->result.bytes, size);
	if (!r->v.quiet)
		fprintf(stderr, "%s %s (%s moved, %llu blobs there already)\n", verb,
			r->rest[r->count - 1], size, (unsigned long long)r->result.blobs_skipped);
	printf("%s\n", r->result.digest);
	return EXIT_OK;
}

#define REQUEST_INIT                                  \
	{                                             \
		.options = OCIB_TRANSFER_OPTIONS_INIT \
	}

static int run_pull(cli *app, const cli_command *self, int argc, char **argv)
{
	transfer_request r = REQUEST_INIT;
	ocib_error *err = NULL;
	int status = prepare(app, self, argc, argv, 1, 1, &r);

	if (status != EXIT_OK)
		return status < 0 ? EXIT_OK : status;
	ocib_errc rc = ocib_pull(app->context, app->store, r.rest[0], &r.options, &r.result, &err);
	return finish(app, &r, rc, err, "pulled");
}

static int run_push(cli *app, const cli_command *self, int argc, char **argv)
{
	transfer_request r = REQUEST_INIT;
	ocib_error *err = NULL;
	int status = prepare(app, self, argc, argv, 1, 2, &r);

	if (status != EXIT_OK)
		return status < 0 ? EXIT_OK : status;
	ocib_errc rc = ocib_push(app->context, app->store, r.rest[0],
				 r.count > 1 ? r.rest[1] : NULL, &r.options, &r.result, &err);
	return finish(app, &r, rc, err, "pushed");
}

static int run_copy(cli *app, const cli_command *self, int argc, char **argv)
{
	transfer_request r = REQUEST_INIT;
	ocib_error *err = NULL;
	int status = prepare(app, self, argc, argv, 2, 2, &r);

	if (status != EXIT_OK)
		return status < 0 ? EXIT_OK : status;
	ocib_errc rc = ocib_copy(app->context, app->store, r.rest[0], r.rest[1], &r.options,
				 &r.result, &err);
	return finish(app, &r, rc, err, "copied to");
}

typedef struct import_values {
	const char *platform, *message, *compression, *progress;
	cli_list changes;
} import_values;
static const cli_option import_options[] = {
	{"change", 'c', CLI_LIST, offsetof(import_values, changes), "INSTRUCTION",
	 "a Dockerfile instruction for the configuration, like 'CMD [\"sh\"]'; repeatable"},
	{"message", 'm', CLI_STRING, offsetof(import_values, message), "TEXT",
	 "comment in the history"},
	{"platform", 0, CLI_STRING, offsetof(import_values, platform), "OS/ARCH",
	 "what the tree is for (default: this machine)"},
	{"compression", 0, CLI_STRING, offsetof(import_values, compression), "KIND",
	 "gzip, zstd or uncompressed (default: gzip)"},
	{"progress", 0, CLI_STRING, offsetof(import_values, progress), "MODE",
	 "auto, tty, plain, quiet, rawjson (default: auto)"},
	CLI_OPTIONS_END,
};

static int import(cli *app, const import_values *v, char **rest)
{
	ocib_import_options options = OCIB_IMPORT_OPTIONS_INIT;
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	ocib_error *err = NULL;
	ocib_image *image = NULL;
	int status;

	options.platform = v->platform;
	options.changes = v->changes.items;
	options.message = v->message;
	options.compression = v->compression;
	if (epoch && *epoch)
		options.has_source_date_epoch = cli_parse_number(epoch, &options.source_date_epoch);
	app->progress = v->progress;
	status = cli_open(app, true);
	if (status != EXIT_OK)
		return status;
	if (ocib_import(app->context, app->store, rest[0], rest[1], &options, &image, &err) !=
	    OCIB_OK)
		return cli_report(app, err);
	progress_pause(app->view);
	printf("%s\n", ocib_image_id(image));
	ocib_image_free(image);
	return EXIT_OK;
}

static int run_import(cli *app, const cli_command *self, int argc, char **argv)
{
	import_values v = {0};
	char **rest;
	int count, status = cli_parse(self, argc, argv, &v, &rest, &count);

	if (status == EXIT_OK && count != 2)
		status = cli_usage_error(self, "takes %s", self->usage);
	if (status == EXIT_OK)
		status = import(app, &v, rest);
	cli_list_free(&v.changes);
	return status < 0 ? EXIT_OK : status;
}

const cli_command cli_command_pull = {
	.name = "pull",
	.usage = "[OPTIONS] NAME",
	.summary = "fetch an image from its registry into the store",
	.options = transfer_options,
	.run = run_pull,
};
const cli_command cli_command_push = {
	.name = "push",
	.usage = "[OPTIONS] NAME [DESTINATION]",
	.summary = "send an image from the store to a registry",
	.options = push_options,
	.run = run_push,
};
const cli_command cli_command_copy = {
	.name = "copy",
	.usage = "[OPTIONS] SOURCE DESTINATION",
	.summary = "copy between the store, oci:DIR, archives and docker://NAME",
	.options = transfer_options,
	.run = run_copy,
};
const cli_command cli_command_import = {
	.name = "import",
	.usage = "[OPTIONS] FILE NAME",
	.summary = "make an image of a root file system tarball ('-': standard input)",
	.options = import_options,
	.run = run_import,
};
