/* cli/nearest.c — "did you mean": the candidate that the fewest slips turn into the word. */
#include <string.h>
#include "cli.h"

#define LONGEST 40

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, replacements and swaps of neighbours between two short words. */
static unsigned slips(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned rows[3][LONGEST + 1]; /* the row before the last, the last, this one */

	for (size_t j = 0; j <= b_len; j++)
		rows[1][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		rows[2][0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned cost = a[i - 1] != b[j - 1];

			rows[2][j] = least(least(rows[1][j] + 1, rows[2][j - 1] + 1),
					   rows[1][j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[2][j] = least(rows[2][j], rows[0][j - 2] + 1);
		}
		memcpy(rows[0], rows[1], sizeof(rows[0]));
		memcpy(rows[1], rows[2], sizeof(rows[1]));
	}
	return rows[1][b_len];
}

void cli_nearest(const char *word, size_t len, const char *candidate, cli_nearest_state *state)
{
	size_t candidate_len = strlen(candidate);
	unsigned distance;

	if (len > LONGEST || candidate_len > LONGEST)
		return;
	distance = slips(word, len, candidate, candidate_len);
	if (distance > 1 + len / 4 || (state->name && distance >= state->distance))
		return;
	state->name = candidate;
	state->distance = distance;
}
