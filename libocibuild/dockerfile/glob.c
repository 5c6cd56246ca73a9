/* dockerfile/glob.c — Go's filepath.Match, with which COPY finds the files of a wildcard.
 *
 *   *  any run without '/'     ?  one character but '/'     \c  c itself
 *   [abc] [a-z] [^a-z]  one character, and with '^' that may be a '/'
 *
 * A pattern is pieces with stars between them. Each piece is taken at the first place where it fits,
 * which is enough, because a later star can always take what an earlier one leaves; only the last
 * piece has to end where the name ends. So the work is at most the product of both lengths.
 *
 * As in Go, a piece is checked to its end even when it does not fit, and pieces behind one that does
 * not fit are not looked at: so much of a malformed pattern is noticed, and no more.
 */
#include <string.h>
#include "dockerfile/ignore.h"
#include "dockerfile/runes.h"

/* A piece and what is tried against it. */
typedef struct trial {
	const char *p, *end;         /* in the piece */
	const char *name, *name_end; /* name NULL: it did not fit */
	bool bad;
} trial;

/* One character of a class, maybe escaped. Something has to follow it. */
static uint32_t take_class_char(trial *t)
{
	uint32_t rune = OB_RUNE_INVALID;

	if (t->p < t->end && *t->p == '\\')
		t->p++;
	else if (t->p < t->end && (*t->p == '-' || *t->p == ']'))
		t->p = t->end;
	if (t->p < t->end)
		t->p += ob_rune_decode(t->p, (size_t)(t->end - t->p), &rune);
	t->bad = t->bad || t->p == t->end || rune >= OB_RUNE_INVALID;
	return rune;
}

/* From behind the '[' to behind the ']'. Does the class contain rune? */
static bool take_class(trial *t, uint32_t rune)
{
	bool negated = t->p < t->end && *t->p == '^', found = false, first = true;

	t->p += negated;
	for (; !t->bad && (first || *t->p != ']'); first = false) {
		uint32_t low = take_class_char(t), high = low;

		if (!t->bad && *t->p == '-') {
			t->p++;
			high = take_class_char(t);
		}
		found = found || (low <= rune && rune <= high);
	}
	t->p += !t->bad;
	return found != negated;
}

/* One character of the piece against one of the name. */
static void take_char(trial *t)
{
	uint32_t rune = 0;
	size_t width =
		t->name ? ob_rune_decode(t->name, (size_t)(t->name_end - t->name), &rune) : 0;
	bool fits;

	if (*t->p == '[') {
		t->p++;
		fits = take_class(t, rune);
	} else if (*t->p == '?') {
		t->p++;
		fits = rune != '/';
	} else {
		t->p += *t->p == '\\';
		t->bad = t->p == t->end;
		if (t->bad)
			return;
		fits = t->name && *t->p == *t->name;
		t->p++;
		width = 1;
	}
	t->name = t->name && fits ? t->name + width : NULL;
}

/* Does the piece [p, end) fit at name? Returns where it ends there, NULL if not. */
static const char *match_piece(const char *p, const char *end, const char *name, bool *bad)
{
	trial t = {.p = p, .end = end, .name = name, .name_end = name + strlen(name)};

	while (t.p < t.end && !t.bad) {
		if (t.name == t.name_end)
			t.name = NULL;
		take_char(&t);
	}
	*bad = t.bad;
	return t.bad ? NULL : t.name;
}

/* The end of the piece that begins at pattern: the next star that is not in brackets. */
static const char *piece_end(const char *pattern)
{
	bool in_class = false;

	for (; *pattern && (in_class || *pattern != '*'); pattern++) {
		if (*pattern == '\\' && pattern[1])
			pattern++;
		else if (*pattern == '[')
			in_class = true;
		else if (*pattern == ']')
			in_class = false;
	}
	return pattern;
}

/* Find the first place from name on, reached by a star or not, where the piece fits. */
static const char *find_piece(const char *p, const char *end, bool star, const char *name,
			      bool *bad)
{
	bool is_last = *end == '\0';

	while (true) {
		const char *next = match_piece(p, end, name, bad);

		if (next && (!is_last || *next == '\0'))
			return next;
		if (*bad || !star || *name == '\0' || *name == '/')
			return NULL;
		name++;
	}
}

bool ob_glob_match(const char *pattern, const char *name, bool *bad)
{
	bool malformed = false;

	while (*pattern && name) {
		bool star = *pattern == '*';
		const char *end;

		pattern += strspn(pattern, "*");
		if (star && !*pattern) {
			name = strchr(name, '/') ? NULL : "";
			break;
		}
		end = piece_end(pattern);
		name = find_piece(pattern, end, star, name, &malformed);
		pattern = end;
	}
	if (bad)
		*bad = malformed;
	return name && *name == '\0';
}

bool ob_glob_has_magic(const char *pattern)
{
	for (; *pattern; pattern++) {
		if (*pattern == '*' || *pattern == '?' || *pattern == '[')
			return true;
		if (*pattern == '\\' && pattern[1])
			pattern++;
	}
	return false;
}
