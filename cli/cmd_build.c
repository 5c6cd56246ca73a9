/* cli/cmd_build.c — ocibuild build: docker buildx build's spellings onto ocib_build_options. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "build_call.h"
#include "build_outputs.h"
#include "build_result.h"
#include "build_secrets.h"
#include "build_ssh.h"
#include "cli.h"
#include "progress.h"

typedef struct values {
	const char *file, *target, *network, *shm_size, *progress, *iidfile, *metadata_file,
		*ca_cert, *jobs, *call;
	cli_list platforms, tags, build_args, build_contexts, labels, annotations, no_cache_filter,
		add_hosts, ulimits, outputs, secrets, ssh, allow, cache_mount_from, cache_mount_to;
	int no_cache, pull, push, quiet, offline, plain_http, load, check;
} values;

#define AT(field) offsetof(values, field)
static const cli_option options[] = {
	{"file", 'f', CLI_STRING, AT(file), "PATH",
	 "the Dockerfile, or its URL; '-' reads it from standard input (default: CONTEXT/Dockerfile)"},
	{"tag", 't', CLI_LIST, AT(tags), "NAME[:TAG]", "name for the image; repeatable"},
	{"build-arg", 0, CLI_LIST, AT(build_args), "KEY[=VALUE]",
	 "value of an ARG; without '=' from the environment"},
	{"build-context", 0, CLI_LIST, AT(build_contexts), "NAME=VALUE",
	 "a named context: a directory, a URL, a git repository, oci-layout://DIR[:TAG|@DIGEST], docker-image://NAME"},
	{"target", 0, CLI_STRING, AT(target), "STAGE", "stage to build (default: the last)"},
	{"platform", 0, CLI_LIST, AT(platforms), "OS/ARCH[,…]",
	 "what to build for; several give an index; repeatable (default: this machine)"},
	{"label", 0, CLI_LIST, AT(labels), "KEY=VALUE", "label for the image; repeatable"},
	{"annotation", 0, CLI_LIST, AT(annotations), "KEY=VALUE",
	 "annotation for the manifest, or for what 'index:' or 'manifest[OS/ARCH]:' names; repeatable"},
	{"output", 'o', CLI_LIST, AT(outputs), "SPEC",
	 "where the image goes, e.g. type=oci,dest=DIR,tar=false; repeatable (default: the store)"},
	{"push", 0, CLI_FLAG, AT(push), NULL, "push every tag when the image is built"},
	{"load", 0, CLI_FLAG, AT(load), NULL,
	 "put the image into the store also where --output is given"},
	{"no-cache", 0, CLI_FLAG, AT(no_cache), NULL, "execute every step"},
	{"no-cache-filter", 0, CLI_LIST, AT(no_cache_filter), "STAGE",
	 "execute every step of a stage; repeatable"},
	{"pull", 0, CLI_FLAG, AT(pull), NULL, "look in the registry for newer bases"},
	{"check", 0, CLI_FLAG, AT(check), NULL,
	 "look for what is questionable in the Dockerfile, and build nothing"},
	{"call", 0, CLI_STRING, AT(call), "METHOD",
	 "build, or instead of it: check, outline (what the target takes), targets; ',format=json' and for check ',format=sarif' (default: build)"},
	{"secret", 0, CLI_LIST, AT(secrets), "SPEC",
	 "secret for RUN --mount=type=secret: id=ID[,src=FILE] or id=ID,env=VARIABLE; repeatable"},
	{"ssh", 0, CLI_LIST, AT(ssh), "SPEC",
	 "agent for RUN --mount=type=ssh: default, ID=SOCKET or ID=KEYFILE[,KEYFILE]; repeatable"},
	{"allow", 0, CLI_LIST, AT(allow), "ENTITLEMENT",
	 "what a RUN may ask for: network.host, security.insecure; repeatable"},
	{"cache-mount-from", 0, CLI_LIST, AT(cache_mount_from), "PLACE",
	 "where cache mounts come from that are not here: DIR, FILE.tar, a name in a registry; repeatable"},
	{"cache-mount-to", 0, CLI_LIST, AT(cache_mount_to), "PLACE",
	 "where the cache mounts of this build go: DIR, FILE.tar, a name in a registry; repeatable"},
	{"network", 0, CLI_STRING, AT(network), "MODE", "network of RUN: default, none, host"},
	{"add-host", 0, CLI_LIST, AT(add_hosts), "HOST:IP",
	 "line for a RUN's /etc/hosts; repeatable"},
	{"shm-size", 0, CLI_STRING, AT(shm_size), "SIZE",
	 "size of a RUN's /dev/shm (default: 64m)"},
	{"ulimit", 0, CLI_LIST, AT(ulimits), "TYPE=SOFT[:HARD]",
	 "resource limit of a RUN; repeatable"},
	{"ca-cert", 0, CLI_STRING, AT(ca_cert), "FILE",
	 "certificates that a RUN trusts as well, leaving no trace; '' for none (default: the host's where they differ)"},
	{"iidfile", 0, CLI_STRING, AT(iidfile), "FILE", "write the image id there"},
	{"metadata-file", 0, CLI_STRING, AT(metadata_file), "FILE", "write digests there as JSON"},
	{"progress", 0, CLI_STRING, AT(progress), "MODE",
	 "auto, tty, plain, quiet, rawjson (default: auto)"},
	{"quiet", 'q', CLI_FLAG, AT(quiet), NULL, "print nothing but the image id"},
	{"offline", 0, CLI_FLAG, AT(offline), NULL, "use no network to find bases"},
	{"plain-http", 0, CLI_FLAG, AT(plain_http), NULL, "speak HTTP to registries"},
	{"jobs", 0, CLI_STRING, AT(jobs), "N",
	 "steps and compression threads at once (default: the processors)"},
	{"cache-from", 0, CLI_NOT_YET, 0, NULL, NULL},
	{"cache-to", 0, CLI_NOT_YET, 0, NULL, NULL},
	{"locked", 0, CLI_NOT_YET, 0, NULL, NULL},
	{"explain", 0, CLI_NOT_YET, 0, NULL, NULL},
	{"require-cache", 0, CLI_NOT_YET, 0, NULL, NULL},
	{"on-error", 0, CLI_NOT_YET, 0, NULL, NULL},
	{"repro-check", 0, CLI_NOT_YET, 0, NULL, NULL},
	{"squash", 0, CLI_NOT_YET, 0, NULL, NULL},
	CLI_OPTIONS_END,
};

/* The Dockerfile from standard input; NULL after a report. */
static char *read_stdin(void)
{
	size_t len = 0, cap = 0;
	char *text = NULL;

	for (;;) {
		if (len + 65536 > cap) {
			cap = cap ? cap * 2 : 131072;
			char *more = cap <= ((size_t)64 << 20) ? realloc(text, cap) : NULL;

			if (!more) {
				fprintf(stderr, "ocibuild: error: standard input is too long for a "
						"Dockerfile\n");
				free(text);
				return NULL;
			}
			text = more;
		}
		ssize_t got = read(STDIN_FILENO, text + len, cap - len - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			fprintf(stderr, "ocibuild: error: read standard input: %s\n",
				strerror(errno));
			free(text);
			return NULL;
		}
		if (got == 0)
			break;
		len += (size_t)got;
	}
	text[len] = '\0';
	if (strlen(text) != len) {
		fprintf(stderr,
			"ocibuild: error: standard input is no Dockerfile: it has NUL bytes\n");
		free(text);
		return NULL;
	}
	return text;
}

/* Where two different options would mean the same thing: values that need a look before the library. */
static int check_values(const cli_command *self, const values *v, const char *context,
			ocib_build_options *o)
{
	int64_t jobs = 0;

	if (v->progress && !progress_mode_is_known(v->progress))
		return cli_usage_error(self,
				       "--progress is auto, tty, plain, quiet or rawjson, not '%s'",
				       v->progress);
	if (v->shm_size && !cli_parse_size(v->shm_size, &o->shm_size))
		return cli_usage_error(self,
				       "--shm-size is a number with an optional unit, like 64m, "
				       "not '%s'",
				       v->shm_size);
	if (v->jobs && (!cli_parse_number(v->jobs, &jobs) || jobs < 1 || jobs > 1024))
		return cli_usage_error(self, "--jobs is a number from 1 to 1024, not '%s'",
				       v->jobs);
	o->jobs = (uint32_t)jobs;
	if (strcmp(context, "-") == 0 && v->file && strcmp(v->file, "-") == 0)
		return cli_usage_error(self, "standard input cannot be both the context and the "
					     "Dockerfile");
	return EXIT_OK;
}

/* KEY without '=' takes its value from the environment; where that has none, the option is dropped. */
static int fill_build_args(cli_list *args, char ***owned)
{
	size_t kept = 0, owned_count = 0;

	*owned = calloc(args->len + 1, sizeof(char *));
	if (!*owned)
		return -1;
	for (size_t i = 0; i < args->len; i++) {
		const char *value;
		char *text = NULL;

		if (strchr(args->items[i], '=')) {
			args->items[kept++] = args->items[i];
			continue;
		}
		value = getenv(args->items[i]);
		if (!value)
			continue;
		if (asprintf(&text, "%s=%s", args->items[i], value) < 0)
			return -1;
		(*owned)[owned_count++] = text;
		args->items[kept++] = text;
	}
	if (args->items)
		args->items[kept] = NULL;
	args->len = kept;
	return 0;
}

/* Of the environment, unless there is a build argument. What is no number is the name of what has a time. */
static int take_epoch(values *v, ocib_build_options *o)
{
	static const char name[] = "SOURCE_DATE_EPOCH";
	const char *text = getenv(name);

	for (size_t i = 0; i < v->build_args.len; i++)
		if (strncmp(v->build_args.items[i], name, strlen(name)) == 0)
			return EXIT_OK;
	if (!text || !*text)
		return EXIT_OK;
	o->has_source_date_epoch = cli_parse_number(text, &o->source_date_epoch);
	if (o->has_source_date_epoch || cli_list_add(&v->build_args, name) == 0)
		return EXIT_OK;
	fprintf(stderr, "ocibuild: error: out of memory\n");
	return EXIT_OTHER;
}

/* --platform a,b is --platform a --platform b. */
static char *join_platforms(const cli_list *platforms)
{
	size_t len = 1;
	char *text, *end;

	for (size_t i = 0; i < platforms->len; i++)
		len += strlen(platforms->items[i]) + 1;
	text = end = malloc(len);
	for (size_t i = 0; text && i < platforms->len; i++) {
		if (i)
			*end++ = ',';
		end = stpcpy(end, platforms->items[i]);
	}
	if (text)
		*end = '\0';
	return text;
}

static void fill_options(const values *v, const char *context, ocib_build_options *o)
{
	o->context = context;
	o->dockerfile = v->file;
	o->target = v->target;
	o->tags = v->tags.items;
	o->build_args = v->build_args.items;
	o->build_contexts = v->build_contexts.items;
	o->labels = v->labels.items;
	o->annotations = v->annotations.items;
	o->no_cache_stages = v->no_cache_filter.items;
	o->add_hosts = v->add_hosts.items;
	o->ulimits = v->ulimits.items;
	o->allow = v->allow.items;
	o->cache_mount_from = v->cache_mount_from.items;
	o->cache_mount_to = v->cache_mount_to.items;
	o->no_cache = v->no_cache;
	o->pull = v->pull;
	o->push = v->push;
	o->network = v->network;
	o->ca_cert = v->ca_cert;
	o->plain_http = v->plain_http;
}

static int build(cli *app, const values *v, const build_call *call, const ocib_build_options *o)
{
	ocib_error *err = NULL;
	ocib_image *image = NULL;
	int status;

	app->progress = v->quiet ? "quiet" : v->progress;
	app->offline = v->offline;
	app->jobs = o->jobs;
	status = cli_open(app, true);
	if (status != EXIT_OK)
		return status;
	if (call->method != BUILD_CALL_NONE)
		return build_call_run(app, call, o);
	if (ocib_build_run(app->context, app->store, o, &image, &err) != OCIB_OK)
		return cli_report(app, err);
	const build_report report = {
		.iidfile = v->iidfile,
		.metadata_file = v->metadata_file,
		.tags = &v->tags,
		.quiet = v->quiet,
	};
	status = build_report_show(app, &report, image);
	ocib_image_free(image);
	return status;
}

static int run_parsed(cli *app, const cli_command *self, values *v, const char *context)
{
	ocib_build_options o = OCIB_BUILD_OPTIONS_INIT;
	build_outputs outputs = {0};
	build_secrets secrets = {0};
	build_ssh ssh = {0};
	char **owned = NULL, *text = NULL, *platform = join_platforms(&v->platforms);
	build_call call = {0};
	int status = check_values(self, v, context, &o);

	if (status == EXIT_OK)
		status = build_call_parse(self, v->call, v->check, &call);
	if (status == EXIT_OK)
		status = take_epoch(v, &o);
	if (status == EXIT_OK)
		status = build_outputs_parse(self, &v->outputs, v->load, &outputs, &o);
	if (status == EXIT_OK)
		status = build_secrets_parse(self, &v->secrets, &secrets, &o);
	if (status == EXIT_OK)
		status = build_ssh_parse(self, &v->ssh, &ssh, &o);
	if (status == EXIT_OK && fill_build_args(&v->build_args, &owned) < 0)
		status = EXIT_OTHER;
	if (status == EXIT_OK) {
		fill_options(v, context, &o);
		o.platform = platform;
		if (v->file && strcmp(v->file, "-") == 0) {
			o.dockerfile = NULL;
			o.dockerfile_text = text = read_stdin();
			status = text ? EXIT_OK : EXIT_OTHER;
		}
	}
	if (status == EXIT_OK)
		status = build(app, v, &call, &o);
	for (size_t i = 0; owned && owned[i]; i++)
		free(owned[i]);
	free(owned);
	free(text);
	free(platform);
	build_outputs_done(&outputs);
	build_secrets_done(&secrets);
	build_ssh_done(&ssh);
	return status;
}

static int run(cli *app, const cli_command *self, int argc, char **argv)
{
	values v = {0};
	char **rest;
	int count, status = cli_parse(self, argc, argv, &v, &rest, &count);

	if (status == EXIT_OK && count != 1)
		status = cli_usage_error(self,
					 count ? "one CONTEXT is enough; '%s' is one too many"
					       : "needs a CONTEXT, like '.'%s",
					 count ? rest[1] : "");
	if (status == EXIT_OK)
		status = run_parsed(app, self, &v, rest[0]);
	cli_list *const lists[] = {&v.platforms,       &v.tags,
				   &v.build_args,      &v.build_contexts,
				   &v.labels,          &v.annotations,
				   &v.no_cache_filter, &v.add_hosts,
				   &v.ulimits,         &v.outputs,
				   &v.secrets,         &v.ssh,
				   &v.allow,           &v.cache_mount_from,
				   &v.cache_mount_to};
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		cli_list_free(lists[i]);
	return status < 0 ? EXIT_OK : status;
}

const cli_command cli_command_build = {
	.name = "build",
	.usage = "[OPTIONS] CONTEXT",
	.summary = "build an image from a Dockerfile",
	.options = options,
	.run = run,
};
