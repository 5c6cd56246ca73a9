/* fuzz_git_address.c — any text as a git URL: what parses gives git no option, no password and no way out of
 * the repository, and what can be written as a URL again means the same. */
#undef NDEBUG
#include <assert.h>
#include <string.h>
#include "base/strings.h"
#include "engine/source/git_address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const ob_git_address *a)
{
	ob_autodone(ob_git_address) again = {0};
	ob_autofree char *text = ob_str_printf("%s#%s", a->remote, a->ref ? a->ref : "");

	assert(text);
	if (strchr(text, '%') || !ob_is_git_address(text)) /* github.com/… need not end in ".git" */
		return;
	assert(ob_git_address_parse(text, &again, NULL) == OCIB_OK);
	assert(ob_str_eq(again.remote, a->remote));
	assert(!again.ref == !a->ref && (!a->ref || ob_str_eq(again.ref, a->ref)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ob_autofree char *text = strndup((const char *)data, size);
	ob_autodone(ob_git_address) a = {0};

	if (!text || ob_git_address_parse(text, &a, NULL) != OCIB_OK)
		return 0;
	assert(*a.remote && *a.remote != '-');
	assert(!a.ref || (*a.ref && *a.ref != '-' && !strpbrk(a.ref, ":*^ ")));
	if (ob_str_starts(a.remote, "http://") || ob_str_starts(a.remote, "https://"))
		assert(!memchr(a.remote, '@', strlen("https://") + strcspn(a.remote + 8, "/")));
	if (a.subdir)
		assert(*a.subdir && *a.subdir != '/' && !ob_str_starts(a.subdir, "../") &&
		       !ob_str_eq(a.subdir, "..") && !strstr(a.subdir, "/../"));
	if (a.checksum)
		assert(strspn(a.checksum, "0123456789abcdef") == strlen(a.checksum));
	check_again(&a);
	return 0;
}
