/* tests/unit/test_registry_tags.c — tags listed over several pages and removed; what a context knows
 * about a registry.
 */
#include <ocibuild/registry.h>
#include "fake_registry.h"

static const char *next_page; /* Link header of the first page */

static bool serve_pages(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)nth;
	(void)s;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	if (strstr(request->target, "last=b"))
		return fake_reply(fd, 200, "", "{\"name\":\"team/app\",\"tags\":[\"c\"]}");
	return fake_reply(fd, 200, next_page, "{\"name\":\"team/app\",\"tags\":[\"a\",\"b\"]}");
}

static ocib_errc list(ob_strlist *tags)
{
	ob_auto(ob_registry) registry = connect_to(server.port, NULL);

	return ob_registry_list_tags(registry, tags, &t_err);
}

TEST(tags__of_all_pages)
{
	ob_autodone(ob_strlist) tags = {0};

	next_page = "Link: </v2/team/app/tags/list?last=b&n=2>; rel=\"next\"\r\n";
	begin(serve_pages);
	ASSERT_OK(list(&tags));
	assert_int_equal(tags.len, 3);
	assert_string_equal(tags.items[2], "c");
	end();
}

TEST(tags__next_page_at_another_host_is_refused)
{
	ob_autodone(ob_strlist) tags = {0};

	next_page = "Link: <http://127.0.0.2:1/v2/team/app/tags/list?last=b>; rel=\"next\"\r\n";
	begin(serve_pages);
	ASSERT_ERROR(list(&tags), OCIB_ERR_PROTOCOL, "another host");
	end();
}

TEST(tags__page_that_leads_to_itself_is_refused)
{
	ob_autodone(ob_strlist) tags = {0};

	next_page = "Link: </v2/team/app/tags/list?n=1000>; rel=\"next\"\r\n";
	begin(serve_pages);
	ASSERT_ERROR(list(&tags), OCIB_ERR_PROTOCOL, "followed by itself");
	end();
}

static const char *answer;
static int answer_status;

static bool serve_answer(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	(void)nth;
	(void)s;
	if (is_ping(request))
		return fake_reply(fd, 200, "", "{}");
	return fake_reply(fd, answer_status, "", answer);
}

static void check_list(const char *page, ocib_errc kind)
{
	ob_autodone(ob_strlist) tags = {0};

	answer = page;
	answer_status = 200;
	begin(serve_answer);
	assert_int_equal(list(&tags), kind);
	t_err = ocib_error_free(t_err);
	assert_int_equal(tags.len, 0);
	end();
}

TEST(tags__none_and_nonsense)
{
	check_list("{\"name\":\"x\",\"tags\":null}", OCIB_OK);
	check_list("{\"name\":\"x\",\"tags\":[]}", OCIB_OK);
	check_list("{}", OCIB_OK);
	check_list("{\"tags\":[1]}", OCIB_ERR_CORRUPT);
	check_list("<html>", OCIB_ERR_CORRUPT);
}

static ocib_errc untag(int status)
{
	answer = "{}";
	answer_status = status;
	begin(serve_answer);
	ob_auto(ob_registry) registry = connect_to(server.port, NULL);
	ocib_errc rc = ob_registry_delete_tag(registry, "old", &t_err);
	assert_int_equal(count_requests(&server, "DELETE", "/v2/team/app/manifests/old"), 1);
	t_err = ocib_error_free(t_err);
	end();
	return rc;
}

TEST(untag__where_a_registry_can_and_where_not)
{
	assert_int_equal(untag(202), OCIB_OK);
	assert_int_equal(untag(404), OCIB_ERR_NOTFOUND);
	assert_int_equal(untag(405), OCIB_ERR_UNSUPPORTED);
	assert_int_equal(untag(400), OCIB_ERR_UNSUPPORTED);
}

/* ---- What the context knows. ---- */

static bool serve_password(fake_server *s, const fake_request *request, size_t nth, int fd)
{
	char given[200];

	(void)nth;
	(void)s;
	if (!fake_header(request, "Authorization", given, sizeof(given)))
		return fake_reply(fd, 401, "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
	if (!ob_str_eq(given, "Basic bWU6c2VjcmV0")) /* me:secret */
		return fake_reply(fd, 403, "", "");
	return fake_reply(fd, 200, "", "{\"tags\":[\"a\"]}");
}

static ocib_errc list_with(const char *host)
{
	ob_autodone(ob_strlist) tags = {0};
	ocib_registry_access access = OCIB_REGISTRY_ACCESS_INIT;

	access.host = host;
	access.username = "me";
	access.password = "secret";
	ASSERT_OK(ocib_context_add_registry(ctx, &access, &t_err));
	ocib_errc rc = list(&tags);
	t_err = ocib_error_free(t_err);
	return rc;
}

TEST(access__credentials_of_the_context_go_to_their_host_alone)
{
	begin(serve_password);
	ob_autofree char *host = ob_str_printf("127.0.0.1:%d", server.port);
	ob_autofree char *other = ob_str_printf("127.0.0.1:%d", server.port + 1);

	assert_int_equal(list_with(other), OCIB_ERR_PROTOCOL);
	assert_int_equal(list_with(host), OCIB_OK);
	end();
}

TEST(access__of_two_for_a_host_the_later_counts_and_hub_has_one_name)
{
	ocib_registry_access access = OCIB_REGISTRY_ACCESS_INIT;

	begin(serve_password);
	access.host = "index.docker.io";
	access.username = "first";
	ASSERT_OK(ocib_context_add_registry(ctx, &access, &t_err));
	access.username = "second";
	ASSERT_OK(ocib_context_add_registry(ctx, &access, &t_err));
	assert_string_equal(ob_context_registry(ctx, "docker.io")->username, "second");
	assert_null(ob_context_registry(ctx, "ghcr.io"));
	access.host = "https://ghcr.io";
	ASSERT_ERROR(ocib_context_add_registry(ctx, &access, &t_err), OCIB_ERR_INVALID, "HOST");
	end();
}
