/* engine/plan/plan_expose.c — EXPOSE: port specifications to single ports.
 *
 * "[ip:][host:]port[-end][/proto]", of which only the container's ports and the protocol are kept: what
 * stands before them is checked and dropped, as BuildKit does. Unlike elsewhere, a variable's value
 * splits into several words.
 */
#include <arpa/inet.h>
#include <string.h>
#include "base/strings.h"
#include "engine/plan/go_text.h"
#include "engine/plan/planner.h"

typedef struct port_range {
	unsigned first, last;
} port_range;

static bool parse_port(const char *text, size_t len, unsigned *out)
{
	char digits[8];
	uint64_t value;

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (!ob_parse_u64(digits, 10, 65535, &value))
		return false;
	*out = (unsigned)value;
	return true;
}

static bool parse_range(const char *text, size_t len, port_range *out)
{
	const char *dash = memchr(text, '-', len);
	size_t first_len = dash ? (size_t)(dash - text) : len;

	if (!parse_port(text, first_len, &out->first))
		return false;
	out->last = out->first;
	if (dash && !parse_port(dash + 1, len - first_len - 1, &out->last))
		return false;
	return out->last >= out->first;
}

/* The protocol in lower case, or NULL. */
static const char *parse_protocol(const char *text)
{
	static const char *const known[] = {"tcp", "udp", "sctp"};

	if (!*text)
		return "tcp";
	for (size_t i = 0; i < OB_ARRAY_LEN(known); i++)
		if (ob_str_eq_nocase(text, known[i]))
			return known[i];
	return NULL;
}

static bool is_address(const char *text, size_t len)
{
	struct in6_addr address;
	char copy[INET6_ADDRSTRLEN];

	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inet_pton(AF_INET, copy, &address) == 1 || inet_pton(AF_INET6, copy, &address) == 1;
}

/* What is wrong with the part before the container's ports, "ip:host" or "host"; NULL: nothing. */
static const char *check_host_part(const char *text, size_t len, const port_range *container)
{
	const char *colon = memrchr(text, ':', len);
	const char *host = colon ? colon + 1 : text;
	size_t host_len = len - (size_t)(host - text);
	port_range range;

	if (colon && colon != text && !is_address(text, (size_t)(colon - text)))
		return "invalid IP address";
	if (!host_len)
		return NULL;
	if (!parse_range(host, host_len, &range))
		return "invalid host port";
	if (container->last != container->first &&
	    range.last - range.first != container->last - container->first)
		return "the ranges of container and host ports differ in length";
	return NULL;
}

/* One specification; what is wrong with it, or NULL. */
static const char *parse_spec(const char *spec, port_range *range, const char **protocol)
{
	const char *colon = strrchr(spec, ':');
	const char *ports = colon ? colon + 1 : spec;
	size_t len = strcspn(ports, "/");

	if (!len)
		return "no port specified";
	*protocol = parse_protocol(ports[len] ? ports + len + 1 : "");
	if (!*protocol)
		return "the protocol is none of tcp, udp and sctp";
	if (!parse_range(ports, len, range))
		return "the container port is no number or range within 0-65535";
	return colon ? check_host_part(spec, (size_t)(colon - spec), range) : NULL;
}

static ocib_errc add_ports(ob_dispatch *d, const char *spec, const ob_location *at,
			   ob_strlist *ports, ocib_error **err)
{
	const char *protocol = NULL;
	port_range range = {0};
	const char *wrong = parse_spec(spec, &range, &protocol);
	ocib_errc r;

	if (wrong)
		return ob_fail_here(err, d, at, OCIB_ERR_SYNTAX, "invalid port: '%s': %s", spec,
				    wrong);
	ob_check_port(d, spec);
	r = ob_planner_spend(d->planner, (range.last - range.first + 1) * sizeof("65535/sctp"),
			     d->command->at, err);
	for (unsigned port = range.first; !r && port <= range.last; port++)
		if (ob_strlist_add_printf(ports, "%u/%s", port, protocol) < 0)
			return ob_fail_nomem(err);
	return r;
}

/* All ports of the instruction; its words are in bytewise order since it was parsed. */
static ocib_errc list_ports(ob_dispatch *d, ob_strlist *ports, ocib_error **err)
{
	const ob_shell_options options = {.escape = d->planner->dockerfile->escape};

	for (size_t i = 0; i < d->instruction->words.len; i++) {
		const ob_word *word = &d->instruction->words.items[i];
		ob_autodone(ob_strlist) specs = {0};
		ocib_errc r = ob_shell_words(word->text, &d->stage->env, &options, &specs, err);

		if (r)
			return ob_source_locate(&d->planner->dockerfile->source,
						ob_dispatch_place(d, &word->at), r, err);
		for (size_t k = 0; !r && k < specs.len; k++)
			r = add_ports(d, specs.items[k], &word->at, ports, err);
		if (r)
			return r;
	}
	return OCIB_OK;
}

static void drop_repeats(ob_strlist *sorted)
{
	size_t kept = 0;

	for (size_t i = 0; i < sorted->len; i++) {
		if (kept && ob_str_eq(sorted->items[kept - 1], sorted->items[i]))
			free(sorted->items[i]);
		else
			sorted->items[kept++] = sorted->items[i];
	}
	sorted->len = kept;
	if (sorted->items)
		sorted->items[kept] = NULL;
}

ocib_errc ob_dispatch_expose(ob_dispatch *d, ocib_error **err)
{
	ob_strlist *exposed = &d->stage->config->exposed_ports;
	ob_autodone(ob_buffer) history = OB_HISTORY_BUFFER;
	ob_autodone(ob_strlist) ports = {0};
	ocib_errc r = list_ports(d, &ports, err);

	if (r)
		return r;
	ob_buffer_append_str(&history, "EXPOSE ");
	ob_go_list(&ports, &history);
	/* What there was is sorted again. */
	r = ob_planner_spend(d->planner, exposed->len * sizeof("65535/sctp"), d->command->at, err);
	if (r)
		return r;
	if (ob_strlist_copy(exposed, &ports) < 0)
		return ob_fail_nomem(err);
	ob_strlist_sort(exposed);
	drop_repeats(exposed);
	return ob_dispatch_commit(d, &history, false, err);
}
