/* embed.c — build an image from a C program: the context, the store, one call, progress as events.
 *
 *   cc embed.c $(pkg-config --cflags --libs ocibuild) -o embed
 *   ./embed CONTEXT NAME
 */
#include <stdio.h>
#include <ocibuild/ocibuild.h>

static int show(const ocib_event *event, void *user)
{
	(void)user;
	switch (event->type) {
	case OCIB_EVENT_STEP_STARTED:
	case OCIB_EVENT_STEP_CACHED:
		printf("%s%s\n", event->u.step.text,
		       event->type == OCIB_EVENT_STEP_CACHED ? " (cached)" : "");
		break;
	case OCIB_EVENT_OUTPUT:
		printf("  | %.*s\n", (int)event->u.output.len, event->u.output.text);
		break;
	default: break;
	}
	return 0; /* anything else would cancel the build */
}

int main(int argc, char **argv)
{
	ocib_context_options context_options = OCIB_CONTEXT_OPTIONS_INIT;
	ocib_build_options options = OCIB_BUILD_OPTIONS_INIT;
	const char *tags[] = {argc > 2 ? argv[2] : "embedded", NULL};
	ocib_context *ctx = NULL;
	ocib_store *store = NULL;
	ocib_image *image = NULL;
	ocib_error *err = NULL;
	int failed = 1;

	context_options.on_event = show;
	options.context_dir = argc > 1 ? argv[1] : ".";
	options.tags = tags;

	if (ocib_context_new(&context_options, &ctx, &err) == OCIB_OK &&
	    ocib_store_open(ctx, NULL, &store, &err) == OCIB_OK &&
	    ocib_build_run(ctx, store, &options, &image, &err) == OCIB_OK) {
		printf("%s is %s\n", tags[0], ocib_image_digest(image));
		failed = 0;
	} else {
		fprintf(stderr, "error: %s\n", ocib_error_message(err));
	}
	ocib_image_free(image);
	ocib_store_close(store);
	ocib_context_free(ctx);
	ocib_error_free(err);
	return failed;
}
