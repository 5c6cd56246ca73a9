/* fuzz/replay_main.c — runs every file of the given corpus folders through a fuzz target.
 *
 * For any compiler, in every test run: a finding once mended stays mended.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t len = 0, got;

	if (!file) {
		perror(path);
		return -1;
	}
	do {
		uint8_t *more = realloc(data, len + 65536);

		if (!more) {
			free(data);
			(void)fclose(file);
			return -1;
		}
		data = more;
		got = fread(data + len, 1, 65536, file);
		len += got;
	} while (got > 0);
	(void)fclose(file);
	(void)LLVMFuzzerTestOneInput(data, len);
	free(data);
	return 0;
}

static long replay_folder(const char *folder)
{
	DIR *dir = opendir(folder);
	long count = 0;

	if (!dir) {
		perror(folder);
		return -1;
	}
	for (struct dirent *one = readdir(dir); one; one = readdir(dir)) {
		char path[4096];

		if (one->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, one->d_name);
		if (replay_file(path) < 0) {
			(void)closedir(dir);
			return -1;
		}
		count++;
	}
	(void)closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	long total = 0;

	for (int i = 1; i < argc; i++) {
		long count = replay_folder(argv[i]);

		if (count < 0)
			return 1;
		total += count;
	}
	printf("%ld inputs replayed\n", total);
	return total > 0 ? 0 : 1;
}
