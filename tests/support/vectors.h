/* tests/support/vectors.h — runs a kind of the shared conformance vectors: data files, one per kind.
 *
 * The folder is $OCIBUILD_VECTORS, or the one given when this was compiled; it has the files, or folders dev
 * and held that have them. Where there are none the case is skipped, and says so. A vector's check prints what is wrong and returns false; all of them run.
 */
#ifndef OB_TESTS_VECTORS_H
#define OB_TESTS_VECTORS_H

#include <fcntl.h>
#include <stdlib.h>
#include "base/fds.h"
#include "base/json.h"
#include "base/limits.h"
#include "harness.h"

typedef bool (*vector_check)(const ob_json *vector);

#define VECTOR_WRONG(vector, ...)                                                        \
	(print_error("%s: ", ob_json_get_str((vector), "id")), print_error(__VA_ARGS__), \
	 print_error("\n"), false)

/* Count of vectors run, 0 when there is no such file. */
static size_t run_vector_file(const char *dir, const char *kind, vector_check check, size_t *failed)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(OB_LIMIT_JSON, "vectors");
	ob_auto(ob_json) json = NULL;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s.json", dir, kind);
	if (ob_read_file(AT_FDCWD, path, &text, NULL) != OCIB_OK)
		return 0;
	ASSERT_OK(ob_json_parse(text.data, text.len, &json, &t_err));
	const ob_json *vectors = ob_json_get(json, "vectors");
	for (size_t i = 0; i < ob_json_len(vectors); i++) {
		*failed += !check(ob_json_at(vectors, i));
		t_err = ocib_error_free(t_err);
	}
	return ob_json_len(vectors);
}

static void run_vectors(const char *kind, vector_check check)
{
	static const char *const folders[] = {"", "/dev", "/held"};
	const char *root = getenv("OCIBUILD_VECTORS");
	size_t count = 0, failed = 0;

	root = root && *root ? root : TEST_VECTORS;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char dir[4096];

		snprintf(dir, sizeof(dir), "%s%s", root, folders[i]);
		count += run_vector_file(dir, kind, check, &failed);
	}
	if (count == 0)
		SKIP("there are no vectors %s/%s.json", root, kind);
	if (failed > 0)
		fail_msg("%zu of %zu %s vectors failed", failed, count, kind);
	print_message("%zu %s vectors\n", count, kind);
}

/* Are the texts those of a JSON array of strings? */
static inline bool same_texts(const ob_json *wanted, const char *const *texts, size_t count)
{
	if (ob_json_len(wanted) != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(ob_json_str(ob_json_at(wanted, i)), texts[i]) != 0)
			return false;
	return true;
}

#endif
