/* engine/run/port_spec.c — published ports as text, and the network they call for.
 *
 * In the host's network a port needs nothing to be reached under its own number. Any other number, or an
 * address to listen on, needs somebody between: then the container gets a network of its own, where its
 * ports disturb nobody, unless the host's was asked for by name.
 */
#include "engine/run/port_spec.h"
#include <arpa/inet.h>
#include <string.h>
#include "base/limits.h"
#include "base/strings.h"

#define FORM "a port is [IP:][HOST:]CONTAINER[/tcp]"

/* Part of a specification, not terminated. */
typedef struct part {
	const char *text;
	size_t len;
} part;

typedef struct range {
	uint64_t first, last;
} range;

static bool parse_port(const char *text, size_t len, uint64_t *out)
{
	char copy[8];

	if (!len || len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return ob_parse_u64(copy, 10, UINT16_MAX, out) && *out > 0;
}

static bool parse_range(part p, range *out)
{
	const char *dash = memchr(p.text, '-', p.len);
	size_t first = dash ? (size_t)(dash - p.text) : p.len;

	if (!parse_port(p.text, first, &out->first))
		return false;
	out->last = out->first;
	return (!dash || parse_port(dash + 1, p.len - first - 1, &out->last)) &&
	       out->first <= out->last;
}

static bool is_address(const char *text)
{
	struct in6_addr address;

	return inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1;
}

/* The part behind the last colon, which is taken off; all of it where there is none. */
static part take_last(part *rest)
{
	const char *colon = memrchr(rest->text, ':', rest->len);
	part last = *rest;

	if (colon) {
		last.text = colon + 1;
		last.len = rest->len - (size_t)(last.text - rest->text);
	}
	rest->len -= last.len + (colon != NULL);
	return last;
}

static ocib_errc add_port(ob_port_list *ports, const char *address, uint64_t outside,
			  uint64_t inside, ocib_error **err)
{
	if (ports->len >= OB_LIMIT_RUN_PORTS)
		return ob_fail(err, OCIB_ERR_LIMIT, "more than %d published ports",
			       OB_LIMIT_RUN_PORTS);
	ob_port *grown = reallocarray(ports->items, ports->len + 1, sizeof(*grown));
	if (!grown)
		return ob_fail_nomem(err);
	ports->items = grown;
	char *copy = address ? strdup(address) : NULL;
	if (address && !copy)
		return ob_fail_nomem(err);
	grown[ports->len++] = (ob_port){copy, (uint16_t)outside, (uint16_t)inside};
	return OCIB_OK;
}

static ocib_errc check_protocol(const char *text, const char *slash, ocib_error **err)
{
	if (!slash || ob_str_eq_nocase(slash, "/tcp"))
		return OCIB_OK;
	if (ob_str_eq_nocase(slash, "/udp") || ob_str_eq_nocase(slash, "/sctp"))
		return ob_fail(err, OCIB_ERR_INVALID,
			       "port '%s': only tcp can be published, %s is not implemented", text,
			       slash + 1);
	return ob_fail(err, OCIB_ERR_INVALID, FORM ", not '%s'", text);
}

/* "IP", "[IP]" or nothing. */
static ocib_errc parse_address(part p, const char *text, char **out, ocib_error **err)
{
	if (p.len >= 2 && p.text[0] == '[' && p.text[p.len - 1] == ']') {
		p.text++;
		p.len -= 2;
	}
	if (!p.len)
		return OCIB_OK;
	*out = strndup(p.text, p.len);
	if (!*out)
		return ob_fail_nomem(err);
	if (!is_address(*out))
		return ob_fail(err, OCIB_ERR_INVALID, "port '%s': '%s' is no IP address", text,
			       *out);
	return OCIB_OK;
}

ocib_errc ob_port_spec_parse(const char *text, ob_port_list *ports, ocib_error **err)
{
	const char *slash = strchr(text, '/');
	part rest = {text, slash ? (size_t)(slash - text) : strlen(text)};
	part inside_text = take_last(&rest);
	bool has_outside = inside_text.text > text;
	part outside_text = take_last(&rest);
	range inside, outside = {0, 0};
	ob_autofree char *address = NULL;

	ocib_errc r = check_protocol(text, slash, err);
	if (r < 0)
		return r;
	if (!parse_range(inside_text, &inside) ||
	    (has_outside && outside_text.len && !parse_range(outside_text, &outside)))
		return ob_fail(err, OCIB_ERR_INVALID, FORM ", not '%s'", text);
	if (outside.first && outside.last - outside.first != inside.last - inside.first)
		return ob_fail(err, OCIB_ERR_INVALID, "port '%s': the ranges differ in length",
			       text);
	r = parse_address(rest, text, &address, err);
	for (uint64_t i = 0; r == OCIB_OK && i <= inside.last - inside.first; i++)
		r = add_port(ports, address, outside.first ? outside.first + i : 0,
			     inside.first + i, err);
	return r;
}

static bool needs_relay(const ob_port *port)
{
	return port->address || port->outside != port->inside;
}

/* In the host's network the command listens by itself, wherever it wants. */
static ocib_errc check_addresses(const ob_port_list *ports, ocib_error **err)
{
	for (size_t i = 0; i < ports->len; i++) {
		const ob_port *port = &ports->items[i];

		if (port->address && port->outside == port->inside)
			return ob_fail(err, OCIB_ERR_INVALID,
				       "port %u at '%s' only: in the host's network the command "
				       "chooses its address itself; leave out --network=host",
				       port->inside, port->address);
	}
	return OCIB_OK;
}

static void drop_unmapped(ob_port_list *ports)
{
	size_t kept = 0;

	for (size_t i = 0; i < ports->len; i++)
		if (needs_relay(&ports->items[i]))
			ports->items[kept++] = ports->items[i];
	ports->len = kept;
}

ocib_errc ob_port_choose_network(const char *asked, ob_port_list *ports, ob_network *network,
				 bool *is_own_choice, ocib_error **err)
{
	bool has_relay = false;

	for (size_t i = 0; i < ports->len; i++)
		has_relay |= needs_relay(&ports->items[i]);
	*is_own_choice = has_relay && (!asked || !*asked);
	if (*is_own_choice || (asked && ob_str_eq(asked, "none"))) {
		*network = OB_NETWORK_NONE;
		return OCIB_OK;
	}
	if (asked && *asked && !ob_str_eq(asked, "host"))
		return ob_fail(err, OCIB_ERR_INVALID, "network is host or none, not '%s'", asked);
	*network = OB_NETWORK_HOST;
	ocib_errc r = check_addresses(ports, err);
	if (r == OCIB_OK)
		drop_unmapped(ports); /* they have no address: nothing to free */
	return r;
}
