/* dockerfile/ignore_compile.c — an ignore pattern to an ob_regexp.
 *
 * First to the text of a regular expression, then that text to items. The detour is meant: some patterns
 * mean what they mean only because of it ("[a*b]" is a set, a run of its members, "b" and "]"; "\d"
 * is a digit; a '^' inside is the beginning), and this way they mean the same here. Patterns without
 * magic skip it, and match names with newlines that a '.' would not.
 */
#include <assert.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"
#include "dockerfile/ignore.h"
#include "dockerfile/ignore_regexp.h"

typedef enum pattern_type { EXACT, PREFIX, SUFFIX, REGEXP } pattern_type;

/* "**" at p, in the middle or at the end; returns what is behind it. */
static const char *translate_stars(const char *p, ob_buffer *out, pattern_type *type)
{
	p += 2;
	p += *p == '/';
	if (*p) {
		ob_buffer_append_str(out, "(.*/)?");
		*type = REGEXP;
	} else if (*type == EXACT) {
		*type = PREFIX;
	} else {
		ob_buffer_append_str(out, ".*");
		*type = REGEXP;
	}
	return p;
}

/* Everything but "**"; returns what is behind it. */
static const char *translate_char(const char *p, ob_buffer *out, pattern_type *type)
{
	uint32_t rune;

	if (*p == '*' || *p == '?' || *p == '[' || *p == ']' || (*p == '\\' && p[1]))
		*type = REGEXP;
	if (*p == '*') {
		ob_buffer_append_str(out, "[^/]*");
	} else if (*p == '?') {
		ob_buffer_append_str(out, "[^/]");
	} else if (strchr(".+()|{}$", *p)) {
		ob_buffer_printf(out, "\\%c", *p);
	} else {
		size_t width =
			*p == '\\' && p[1] ? 1 + ob_rune_decode(p + 1, strlen(p + 1), &rune) : 1;

		ob_buffer_append(out, p, width);
		return p + width;
	}
	return p + 1;
}

static pattern_type translate(const char *pattern, ob_buffer *out)
{
	pattern_type type = EXACT;

	for (const char *p = pattern; *p;) {
		bool first = p == pattern;

		if (p[0] != '*' || p[1] != '*') {
			p = translate_char(p, out, &type);
			continue;
		}
		p = translate_stars(p, out, &type);
		if (first)
			type = SUFFIX;
	}
	return type;
}

/* A regexp while it is made. */
typedef struct maker {
	ob_regexp *out;
	const char *p; /* in the expression */
	ocib_error **err;
} maker;

static int add(maker *m, ob_regexp_kind kind, uint32_t value)
{
	size_t count = m->out->len;

	/* One more than counted: items[len] may be looked at. */
	if ((count & (count - 1)) == 0) {
		ob_regexp_item *grown = realloc(m->out->items, (count * 2 + 2) * sizeof(*grown));

		if (!grown)
			return -1;
		m->out->items = grown;
	}
	m->out->items[m->out->len++] = (ob_regexp_item){.kind = (uint8_t)kind, .value = value};
	m->out->items[m->out->len] = (ob_regexp_item){0};
	return 0;
}

static int add_text(maker *m, const char *text, size_t len)
{
	while (len > 0) {
		uint32_t rune;
		size_t width = ob_rune_decode(text, len, &rune);

		if (add(m, OB_REGEXP_CHAR, rune) < 0)
			return -1;
		text += width;
		len -= width;
	}
	return 0;
}

static int add_run(maker *m, ob_regexp_kind kind)
{
	if (add(m, kind, 0) < 0)
		return -1;
	m->out->items[m->out->len - 1].star = true;
	return 0;
}

/* Any directories, maybe none: three items. */
static int add_dirs(maker *m, ob_regexp_kind kind)
{
	return add(m, OB_REGEXP_DIRS, 0) < 0 || add_run(m, kind) < 0 ||
			       add(m, OB_REGEXP_CHAR, '/') < 0
		       ? -1
		       : 0;
}

static int add_range(ob_regexp_set *set, uint32_t first, uint32_t last)
{
	if ((set->len & (set->len - 1)) == 0) {
		ob_rune_range *grown =
			realloc(set->ranges, (set->len ? set->len * 2 : 1) * sizeof(*grown));

		if (!grown)
			return -1;
		set->ranges = grown;
	}
	set->ranges[set->len++] = (ob_rune_range){first, last};
	return 0;
}

/* Ranges of ASCII, as pairs of characters. */
static const struct {
	const char *name, *pairs;
} classes[] = {
	{"[:alnum:]", "09AZaz"},
	{"[:alpha:]", "AZaz"},
	{"[:blank:]", "\t\t  "},
	{"[:digit:]", "09"},
	{"[:graph:]", "!~"},
	{"[:lower:]", "az"},
	{"[:print:]", " ~"},
	{"[:punct:]", "!/:@[`{~"},
	{"[:space:]", "\t\r  "},
	{"[:upper:]", "AZ"},
	{"[:word:]", "09AZaz__"},
	{"[:xdigit:]", "09AFaf"},
	{"[:cntrl:]", "\x01\x1f\x7f\x7f"},
	{"[:ascii:]", "\x01\x7f"},
	{"\\d", "09"},
	{"\\s", "\t\n\f\r  "},
	{"\\w", "09AZaz__"},
};

/* A named class at m->p goes into set; false when there is none. */
static bool take_named_class(maker *m, ob_regexp_set *set, int *failed)
{
	for (size_t i = 0; i < OB_ARRAY_LEN(classes); i++) {
		size_t len = strlen(classes[i].name);

		if (strncmp(m->p, classes[i].name, len) != 0)
			continue;
		for (const char *pair = classes[i].pairs; *pair; pair += 2)
			*failed |= add_range(set, (uint32_t)pair[0], (uint32_t)pair[1]);
		m->p += len;
		return true;
	}
	return false;
}

/* A character behind a backslash that is one; what the rest means is not decided here. */
static bool escaped_rune(char c, uint32_t *rune)
{
	static const char letters[] = "afnrtv", meant[] = "\a\f\n\r\t\v";
	const char *letter = strchr(letters, c);

	if (letter && c) {
		*rune = (uint32_t)meant[letter - letters];
		return true;
	}
	*rune = (unsigned char)c;
	return c > 0 && !((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'));
}

static ocib_errc bad_escape(maker *m)
{
	return ob_fail(m->err, OCIB_ERR_SYNTAX, "syntax error in pattern: '\\%.4s' has no meaning",
		       m->p + 1);
}

static ocib_errc set_char(maker *m, uint32_t *rune)
{
	if (*m->p == '\\') {
		if (!escaped_rune(m->p[1], rune))
			return bad_escape(m);
		m->p += 2;
		return OCIB_OK;
	}
	m->p += ob_rune_decode(m->p, strlen(m->p), rune);
	return OCIB_OK;
}

/* Characters and ranges up to the ']'. */
static ocib_errc set_members(maker *m, ob_regexp_set *set)
{
	int failed = 0;

	for (bool first = true; first || *m->p != ']'; first = false) {
		uint32_t low, high;
		ocib_errc r;

		if (!*m->p)
			return ob_fail(m->err, OCIB_ERR_SYNTAX,
				       "syntax error in pattern: a ']' is missing");
		if (take_named_class(m, set, &failed))
			continue;
		if (m->p[0] == '[' && m->p[1] == ':' && strstr(m->p + 2, ":]"))
			return ob_fail(m->err, OCIB_ERR_SYNTAX,
				       "syntax error in pattern: an unknown class of characters");
		r = set_char(m, &low);
		high = low;
		if (r == OCIB_OK && m->p[0] == '-' && m->p[1] && m->p[1] != ']') {
			m->p++;
			r = set_char(m, &high);
		}
		if (r != OCIB_OK)
			return r;
		if (high < low)
			return ob_fail(m->err, OCIB_ERR_SYNTAX,
				       "syntax error in pattern: a range goes backwards");
		failed |= add_range(set, low, high);
	}
	m->p++;
	return failed ? ob_fail_nomem(m->err) : OCIB_OK;
}

static ob_regexp_set *new_set(maker *m)
{
	size_t count = m->out->set_count;
	ob_regexp_set *grown = realloc(m->out->sets, (count + 1) * sizeof(*grown));

	if (!grown)
		return NULL;
	m->out->sets = grown;
	grown[count] = (ob_regexp_set){0};
	m->out->set_count++;
	return &grown[count];
}

static void fill_ascii(ob_regexp_set *set)
{
	for (size_t i = 0; i < set->len; i++)
		for (uint32_t c = set->ranges[i].first; c <= set->ranges[i].last && c < 128; c++)
			set->ascii[c / 64] |= 1ULL << c % 64;
	if (set->negated) {
		set->ascii[0] = ~set->ascii[0];
		set->ascii[1] = ~set->ascii[1];
	}
}

/* Behind the '['. */
static ocib_errc add_set(maker *m)
{
	ob_regexp_set *set;
	ocib_errc r;

	if (!strncmp(m->p, "^/]", 3)) {
		m->p += 3;
		return add(m, OB_REGEXP_NOT_SLASH, 0) < 0 ? ob_fail_nomem(m->err) : OCIB_OK;
	}
	set = new_set(m);
	if (!set)
		return ob_fail_nomem(m->err);
	set->negated = *m->p == '^';
	m->p += set->negated;
	r = set_members(m, set);
	if (r != OCIB_OK)
		return r;
	fill_ascii(set);
	if (add(m, OB_REGEXP_SET, (uint32_t)m->out->set_count - 1) < 0)
		return ob_fail_nomem(m->err);
	return OCIB_OK;
}

/* \d and its kin outside of brackets. */
static ocib_errc add_class(maker *m)
{
	char name[3] = {'\\', (char)(m->p[1] | 0x20), '\0'};
	ob_regexp_set *set = new_set(m);
	maker inner = {.p = name};
	int failed = !set;

	if (set) {
		set->negated = name[1] != m->p[1];
		take_named_class(&inner, set, &failed);
		fill_ascii(set);
	}
	m->p += 2;
	if (failed || add(m, OB_REGEXP_SET, (uint32_t)m->out->set_count - 1) < 0)
		return ob_fail_nomem(m->err);
	return OCIB_OK;
}

/* At a backslash outside of brackets. */
static ocib_errc add_escape(maker *m)
{
	static const char edges[] = "AzbB";
	static const ob_regexp_kind edge_kinds[] = {OB_REGEXP_BEGIN, OB_REGEXP_END,
						    OB_REGEXP_WORD_EDGE, OB_REGEXP_NO_WORD_EDGE};
	char c = m->p[1];
	const char *edge = strchr(edges, c);
	uint32_t rune;
	int failed;

	if (c && strchr("dDsSwW", c))
		return add_class(m);
	if (c && edge)
		failed = add(m, edge_kinds[edge - edges], 0);
	else if (escaped_rune(c, &rune))
		failed = add(m, OB_REGEXP_CHAR, rune);
	else
		return bad_escape(m);
	m->p += 2;
	return failed ? ob_fail_nomem(m->err) : OCIB_OK;
}

/* The text of the expression to items. */
static ocib_errc parse(maker *m)
{
	ocib_errc r = OCIB_OK;

	while (*m->p && r == OCIB_OK) {
		uint32_t rune;

		if (!strncmp(m->p, "(.*/)?", 6)) {
			m->p += 6;
			r = add_dirs(m, OB_REGEXP_LINE) < 0 ? ob_fail_nomem(m->err) : OCIB_OK;
		} else if (*m->p == '*' && m->out->len > 0) {
			m->p++;
			m->out->items[m->out->len - 1].star = true;
		} else if (*m->p == '[') {
			m->p++;
			r = add_set(m);
		} else if (*m->p == '\\') {
			r = add_escape(m);
		} else {
			m->p += ob_rune_decode(m->p, strlen(m->p), &rune);
			r = add(m,
				rune == '.'   ? OB_REGEXP_LINE
				: rune == '^' ? OB_REGEXP_BEGIN
					      : OB_REGEXP_CHAR,
				rune) < 0
				    ? ob_fail_nomem(m->err)
				    : OCIB_OK;
		}
	}
	return r;
}

/* Patterns without magic but "**" at one end. */
static int add_simple(maker *m, pattern_type type, const char *pattern)
{
	size_t len = strlen(pattern);

	if (type == EXACT)
		return add_text(m, pattern, len);
	if (type == PREFIX)
		return add_text(m, pattern, len - 2) < 0 ? -1 : add_run(m, OB_REGEXP_ALL);
	if (pattern[2] != '/')
		return add_run(m, OB_REGEXP_ALL) < 0 ? -1 : add_text(m, pattern + 2, len - 2);
	return add_dirs(m, OB_REGEXP_ALL) < 0 ? -1 : add_text(m, pattern + 3, len - 3);
}

static void finish(ob_regexp *regexp)
{
	const ob_regexp_item *last = regexp->len ? &regexp->items[regexp->len - 1] : NULL;

	regexp->words = regexp->len / 64 + 1;
	assert(regexp->words <= OB_REGEXP_WORDS_MAX);
	for (size_t i = 0; i < regexp->len && i < 64; i++)
		if (regexp->items[i].kind == OB_REGEXP_DIRS)
			regexp->dirs |= 1ULL << i;
	regexp->loops = regexp->dirs << 1;
	if (last && last->kind == OB_REGEXP_CHAR && !last->star && last->value < 128)
		regexp->last = (char)last->value;
}

ocib_errc ob_regexp_compile(const char *pattern, ob_regexp *out, ocib_error **err)
{
	ob_autodone(ob_buffer) text = OB_BUFFER_INIT(8 * OB_LIMIT_IGNORE_PATTERN, "pattern");
	ob_autodone(ob_regexp) made = {0};
	maker m = {.out = &made, .err = err};
	pattern_type type;
	bool bad;
	ocib_errc r;

	if (strlen(pattern) > OB_LIMIT_IGNORE_PATTERN)
		return ob_fail(err, OCIB_ERR_LIMIT,
			       "a pattern has %zu bytes, more than OB_LIMIT_IGNORE_PATTERN (%d)",
			       strlen(pattern), OB_LIMIT_IGNORE_PATTERN);
	ob_glob_match(pattern, ".", &bad);
	if (bad)
		return ob_fail(err, OCIB_ERR_SYNTAX, "syntax error in pattern '%s'", pattern);
	type = translate(pattern, &text);
	r = ob_buffer_check(&text, err);
	if (r != OCIB_OK)
		return r;
	m.p = text.data;
	if (type == REGEXP)
		r = parse(&m);
	else if (add_simple(&m, type, pattern) < 0)
		r = ob_fail_nomem(err);
	if (r == OCIB_ERR_SYNTAX)
		ob_wrap(err, r, "'%s'", pattern);
	if (r != OCIB_OK)
		return r;
	finish(&made);
	*out = made;
	made = (ob_regexp){0};
	return OCIB_OK;
}
