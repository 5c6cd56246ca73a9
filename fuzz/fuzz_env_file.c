/* fuzz_env_file.c — a file of variables, and a published port: what is accepted has the form it should
 * have, and reading what was read changes nothing.
 *
 * The whole input is the file; its first line is a port, too.
 */
#undef NDEBUG
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "base/buffer.h"
#include "base/limits.h"
#include "engine/run/env_file.h"
#include "engine/run/port_spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_variables(const char *text, size_t len)
{
	ob_autodone(ob_strlist) list = {0}, again = {0};
	ob_autodone(ob_buffer) written = OB_BUFFER_INIT(16 * OB_MIB, "file");

	if (ob_env_file_parse(text, len, "f", &list, NULL) != OCIB_OK)
		return;
	for (size_t i = 0; i < list.len; i++) {
		const char *entry = list.items[i];
		size_t key = strcspn(entry, "=");

		assert(key > 0 && strcspn(entry, " \t\n") >= key && entry[0] != '#');
		ob_buffer_printf(&written, "%s\r\n", entry);
	}
	if (!written.len || strncmp(written.data, "\xef\xbb\xbf", 3) == 0)
		return; /* a mark that was behind blanks */
	assert(ob_env_file_parse(written.data, written.len, "f", &again, NULL) == OCIB_OK);
	assert(again.len == list.len);
	for (size_t i = 0; i < list.len; i++)
		assert(strcmp(again.items[i], list.items[i]) == 0);
}

static void check_port(const char *text, size_t len)
{
	ob_autofree char *line =
		strndup(text, strcspn(text, "\n") < len ? strcspn(text, "\n") : len);
	ob_autodone(ob_port_list) ports = {0};

	assert(line);
	if (ob_port_spec_parse(line, &ports, NULL) != OCIB_OK)
		return;
	assert(ports.len > 0 && ports.len <= OB_LIMIT_RUN_PORTS);
	for (size_t i = 0; i < ports.len; i++)
		assert(ports.items[i].inside > 0 &&
		       ports.items[i].inside == ports.items[0].inside + i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ob_autofree char *text = malloc(size + 1);

	assert(text);
	memcpy(text, data, size);
	text[size] = '\0';
	check_variables(text, size);
	check_port(text, size);
	return 0;
}
