/* bench_frontend.c — how long the front-end takes: 10,000 instructions, 100,000 paths against 200 patterns.
 *
 * Nothing is checked here, as in run.py. Use a release build; each figure is the best of seven runs.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/buffer.h"
#include "base/limits.h"
#include "base/strings.h"
#include "dockerfile/ignore.h"
#include "dockerfile/instruction.h"

#define RUNS         7
#define INSTRUCTIONS 10000
#define PATTERNS     200
#define DIRS         1000
#define FILES        100 /* in each */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void report(const char *what, double best, double limit)
{
	printf("%-60s %8.2f ms   (limit %.0f ms)\n", what, best * 1000, limit);
}

/* --- instructions --- */

static void add_instruction(ob_buffer *text, int i)
{
	switch (i % 8) {
	case 0: ob_buffer_printf(text, "ARG VERSION_%d=1.%d\n", i, i); break;
	case 1:
		ob_buffer_printf(text, "ENV PATH=/opt/%d/bin:$PATH NAME=\"v ${X:-%d}\"\n", i, i);
		break;
	case 2:
		ob_buffer_printf(text,
				 "RUN --mount=type=cache,target=/c%d apt-get update && \\\n"
				 "    apt-get install -y \\\n      one two%d three\n",
				 i, i);
		break;
	case 3: ob_buffer_printf(text, "COPY --chown=1:2 --from=0 a%d b c/ /d/\n", i); break;
	case 4: ob_buffer_printf(text, "LABEL a.b.c%d=\"d\" e='f'\n# a comment\n", i); break;
	case 5: ob_buffer_printf(text, "RUN <<EOF\nset -e\necho %d\nEOF\n", i); break;
	case 6: ob_buffer_printf(text, "CMD [\"/bin/sh\", \"-c\", \"echo %d\"]\n", i); break;
	default: ob_buffer_printf(text, "WORKDIR /srv/%d\n", i);
	}
}

static int time_parser(void)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_DOCKERFILE, "Dockerfile");
	double best = 1e9;

	ob_buffer_append_str(&text, "FROM scratch\n");
	for (int i = 1; i < INSTRUCTIONS; i++)
		add_instruction(&text, i);
	if (ob_buffer_check(&text, NULL))
		return -1;
	for (int i = 0; i < RUNS; i++) {
		ob_auto(ob_dockerfile) parsed = NULL;
		double begin = seconds();

		if (ob_dockerfile_parse("Dockerfile", text.data, text.len, &parsed, NULL) ||
		    parsed->len != INSTRUCTIONS)
			return -1;
		double took = seconds() - begin;
		best = took < best ? took : best;
	}
	report("parsing 10,000 instructions", best, 50);
	return 0;
}

/* --- paths --- */

/* What ignore files hold: names, suffixes, names at any depth, trees, and some exceptions. */
static int add_pattern(ob_strlist *to, int i, bool with_exceptions)
{
	switch (i % 10) {
	case 0: return ob_strlist_add_printf(to, "dir%d/cache", i);
	case 1: return ob_strlist_add_printf(to, "*.tmp%d", i);
	case 2: return ob_strlist_add_printf(to, "**/*.o%d", i);
	case 3: return ob_strlist_add_printf(to, "**/build%d/**", i);
	case 4: return ob_strlist_add_printf(to, "dir%d/sub*/file?%d.txt", i, i % 7);
	case 5: return ob_strlist_add_printf(to, ".name%d", i);
	case 6: return ob_strlist_add_printf(to, "**/[Tt]est%d", i);
	case 7: return ob_strlist_add_printf(to, "dir%d/**/*.log", i);
	case 8: return ob_strlist_add_printf(to, "dir%d", i / 2);
	default:
		return ob_strlist_add_printf(
			to, with_exceptions ? "!**/keep%d.txt" : "**/drop%d.txt", i);
	}
}

typedef struct walk {
	const ob_ignore *ignore;
	void *root, *state;
	size_t hidden, entered;
} walk;

/* As a context's directories are walked: one that is hidden for good is not entered. */
static void walk_tree(walk *w, char (*names)[40])
{
	char path[64];

	w->hidden = w->entered = 0;
	for (int dir = 0; dir < DIRS; dir++) {
		bool hidden;

		if (dir % 10 == 0) {
			(void)snprintf(path, sizeof(path), "dir%d", dir / 10);
			hidden = ob_ignore_step(w->ignore, w->root, path, w->state);
		} else {
			hidden = false;
		}
		(void)snprintf(path, sizeof(path), "dir%d/sub%d", dir / 10, dir % 10);
		if (hidden && !ob_ignore_may_reinclude(w->ignore, path, w->state)) {
			dir += 9;
			continue;
		}
		w->entered++;
		size_t len =
			(size_t)snprintf(path, sizeof(path), "dir%d/sub%d/", dir / 10, dir % 10);
		void *own = (char *)w->state + ob_ignore_state_size(w->ignore);
		path[len - 1] = '\0';
		(void)ob_ignore_step(w->ignore, w->state, path, own);
		path[len - 1] = '/';
		for (int file = 0; file < FILES; file++) {
			memcpy(path + len, names[file], strlen(names[file]) + 1);
			w->hidden += ob_ignore_step(w->ignore, own, path, NULL);
		}
	}
}

static int time_patterns(bool with_exceptions, char (*names)[40])
{
	ob_autodone(ob_strlist) patterns = {0};
	ob_auto(ob_ignore) ignore = NULL;
	ob_autofree char *states = NULL;
	double best = 1e9;

	for (int i = 0; i < PATTERNS; i++) {
		if (add_pattern(&patterns, i, with_exceptions))
			return -1;
	}
	if (ob_ignore_new(&patterns, &ignore, NULL))
		return -1;
	states = calloc(3, ob_ignore_state_size(ignore));
	if (!states)
		return -1;
	walk w = {ignore, states, states + ob_ignore_state_size(ignore), 0, 0};
	for (int i = 0; i < RUNS; i++) {
		double begin = seconds();

		ob_ignore_root(ignore, w.root);
		walk_tree(&w, names);
		double took = seconds() - begin;
		best = took < best ? took : best;
	}
	ob_autofree char *what =
		ob_str_printf("100,000 paths, 200 patterns%s: a walk of %zu directories",
			      with_exceptions ? ", exceptions" : "", w.entered);
	if (!what)
		return -1;
	report(what, best, 200);
	return 0;
}

int main(void)
{
	static char names[FILES][40];

	for (int i = 0; i < FILES; i++)
		(void)snprintf(names[i], sizeof(names[i]), i % 3 ? "file%d.txt" : "module_%d.log",
			       i);
	return time_parser() || time_patterns(false, names) || time_patterns(true, names);
}
