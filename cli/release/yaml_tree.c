/* cli/release/yaml_tree.c — the only file that knows libyaml.
 *
 * Events are turned into a tree by recursion whose depth is limited; libyaml resolves nothing, so
 * a document cannot grow beyond its text. Every scalar is copied; bytes that no C string can hold are
 * refused.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>
#include "yaml_tree.h"

#define MOST_BYTES   (1024 * 1024)
#define MOST_DEPTH   16
#define MOST_NODES   5000
#define LONGEST_SHOW 60 /* of a key, in a message */

typedef struct reader {
	yaml_parser_t parser;
	text_pool *pool;
	config_problem *problem;
	size_t nodes;
} reader;

bool config_fail(config_problem *problem, unsigned line, const char *format, ...)
{
	va_list args;

	problem->line = line;
	va_start(args, format);
	(void)vsnprintf(problem->text, sizeof(problem->text), format, args);
	va_end(args);
	/* Keys and values are repeated in it. */
	text_make_harmless(problem->text);
	return false;
}

static unsigned line_of(yaml_mark_t mark)
{
	return (unsigned)mark.line + 1;
}

static bool fail_syntax(reader *r)
{
	const yaml_parser_t *p = &r->parser;
	unsigned line = line_of(p->problem_mark);

	if (p->error == YAML_MEMORY_ERROR)
		return config_fail(r->problem, 0, "out of memory");
	if (p->error == YAML_READER_ERROR)
		return config_fail(r->problem, 0, "byte %zu: %s", p->problem_offset,
				   p->problem ? p->problem : "no text");
	return config_fail(r->problem, line, "this is no YAML: %s%s%s",
			   p->problem ? p->problem : "it cannot be read", p->context ? " " : "",
			   p->context ? p->context : "");
}

static bool next_event(reader *r, yaml_event_t *event)
{
	return yaml_parser_parse(&r->parser, event) ? true : fail_syntax(r);
}

static bool refuse_extras(reader *r, const yaml_event_t *event)
{
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (event->type == YAML_ALIAS_EVENT) {
		anchor = event->data.alias.anchor;
	} else if (event->type == YAML_SCALAR_EVENT) {
		anchor = event->data.scalar.anchor;
		tag = event->data.scalar.tag;
	} else if (event->type == YAML_SEQUENCE_START_EVENT) {
		anchor = event->data.sequence_start.anchor;
		tag = event->data.sequence_start.tag;
	} else if (event->type == YAML_MAPPING_START_EVENT) {
		anchor = event->data.mapping_start.anchor;
		tag = event->data.mapping_start.tag;
	}
	if (anchor)
		return config_fail(r->problem, line_of(event->start_mark),
				   "anchors and aliases are not supported ('%.*s')", LONGEST_SHOW,
				   (const char *)anchor);
	if (tag)
		return config_fail(r->problem, line_of(event->start_mark),
				   "tags are not supported ('%.*s')", LONGEST_SHOW,
				   (const char *)tag);
	return true;
}

static yaml_tree *new_node(reader *r, yaml_tree_kind kind, const yaml_event_t *event)
{
	yaml_tree *node = text_pool_alloc(r->pool, sizeof(*node));

	if (++r->nodes > MOST_NODES) {
		(void)config_fail(r->problem, line_of(event->start_mark),
				  "more than %d values are no configuration", MOST_NODES);
		return NULL;
	}
	if (!node) {
		(void)config_fail(r->problem, 0, "out of memory");
		return NULL;
	}
	node->kind = kind;
	node->line = line_of(event->start_mark);
	return node;
}

static void append(yaml_tree *parent, yaml_tree *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
}

static bool take_scalar(reader *r, const yaml_event_t *event, yaml_tree **out)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	yaml_tree *node = new_node(r, YAML_TREE_SCALAR, event);

	if (!node)
		return false;
	if (memchr(value, '\0', len))
		return config_fail(r->problem, node->line, "a value with a NUL byte");
	node->text = text_copy(r->pool, value, len);
	node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	*out = node;
	return true;
}

static bool read_value(reader *r, const yaml_event_t *event, unsigned depth, yaml_tree **out);

static bool read_sequence(reader *r, yaml_tree *node, unsigned depth)
{
	for (;;) {
		yaml_event_t event;
		yaml_tree *child = NULL;

		if (!next_event(r, &event))
			return false;
		bool ended = event.type == YAML_SEQUENCE_END_EVENT;
		bool ok = ended || read_value(r, &event, depth, &child);
		yaml_event_delete(&event);
		if (ended || !ok)
			return ok;
		append(node, child);
	}
}

static bool check_key(reader *r, const yaml_tree *node, const yaml_tree *key)
{
	if (key->kind != YAML_TREE_SCALAR)
		return config_fail(r->problem, key->line, "a key must be a word, not %s",
				   yaml_tree_describe(key));
	for (const yaml_tree *one = node->first; one; one = one->next) {
		if (strcmp(one->key, key->text) == 0)
			return config_fail(r->problem, key->line,
					   "the key '%.*s' is there twice (see line %u)",
					   LONGEST_SHOW, key->text, one->key_line);
	}
	return true;
}

static bool read_mapping(reader *r, yaml_tree *node, unsigned depth)
{
	yaml_tree *key = NULL;

	for (;;) {
		yaml_event_t event;
		yaml_tree *child = NULL;

		if (!next_event(r, &event))
			return false;
		bool ended = event.type == YAML_MAPPING_END_EVENT;
		bool ok = ended || read_value(r, &event, depth, &child);
		yaml_event_delete(&event);
		if (ended || !ok)
			return ok;
		if (!key) {
			if (!check_key(r, node, child))
				return false;
			key = child;
			continue;
		}
		child->key = key->text;
		child->key_line = key->line;
		append(node, child);
		key = NULL;
	}
}

static bool read_value(reader *r, const yaml_event_t *event, unsigned depth, yaml_tree **out)
{
	bool is_sequence = event->type == YAML_SEQUENCE_START_EVENT;

	if (!refuse_extras(r, event))
		return false;
	if (event->type == YAML_SCALAR_EVENT)
		return take_scalar(r, event, out);
	if (!is_sequence && event->type != YAML_MAPPING_START_EVENT)
		return config_fail(r->problem, line_of(event->start_mark), "a value is missing");
	if (depth >= MOST_DEPTH)
		return config_fail(r->problem, line_of(event->start_mark),
				   "values are nested more than %d levels deep", MOST_DEPTH);
	*out = new_node(r, is_sequence ? YAML_TREE_SEQUENCE : YAML_TREE_MAPPING, event);
	if (!*out)
		return false;
	return is_sequence ? read_sequence(r, *out, depth + 1) : read_mapping(r, *out, depth + 1);
}

/* STREAM-START, then nothing or DOCUMENT-START value DOCUMENT-END, then STREAM-END. */
static bool read_stream(reader *r, yaml_tree **out)
{
	for (;;) {
		yaml_event_t event;
		bool ok = true;

		if (!next_event(r, &event))
			return false;
		yaml_event_type_t type = event.type;
		if (type == YAML_DOCUMENT_START_EVENT && *out)
			ok = config_fail(r->problem, line_of(event.start_mark),
					 "a second document; one is enough");
		else if (type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
			 type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT)
			ok = read_value(r, &event, 0, out);
		yaml_event_delete(&event);
		if (!ok || type == YAML_STREAM_END_EVENT)
			return ok;
	}
}

bool yaml_tree_parse(text_pool *pool, const char *data, size_t len, yaml_tree **out,
		     config_problem *problem)
{
	reader r = {.pool = pool, .problem = problem};

	*out = NULL;
	if (len > MOST_BYTES)
		return config_fail(problem, 0, "more than %d bytes are no configuration",
				   MOST_BYTES);
	if (!yaml_parser_initialize(&r.parser))
		return config_fail(problem, 0, "out of memory");
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)data, len);
	bool ok = read_stream(&r, out);
	yaml_parser_delete(&r.parser);
	if (ok && !text_pool_ok(pool))
		return config_fail(problem, 0, "out of memory");
	return ok;
}

bool yaml_tree_is_null(const yaml_tree *node)
{
	return node->kind == YAML_TREE_SCALAR && node->is_plain &&
	       (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

const char *yaml_tree_describe(const yaml_tree *node)
{
	switch (node->kind) {
	case YAML_TREE_SEQUENCE: return "a list";
	case YAML_TREE_MAPPING: return "a mapping";
	case YAML_TREE_SCALAR: break;
	}
	return "a value";
}
