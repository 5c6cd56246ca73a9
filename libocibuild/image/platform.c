/* image/platform.c — which machine an image is for, and whether it may stand in for another.
 *
 * The rules are containerd's, because BuildKit resolves bases with them: names are normalised first
 * (x86_64 is amd64, arm without variant is v7, arm64/v8 is arm64), and a platform that is asked for
 * is a list of acceptable ones in falling preference: amd64/v3 takes v2, v1, then 386; arm64 takes its
 * lower versions, then 32-bit arm v8 to v5. Platforms read from documents are kept as they were
 * written, so that a document is written back unchanged; only comparing normalises.
 */
#include "image/platform.h"
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include "base/strings.h"

/** Scores: exact is best; each step down a list of stand-ins costs one. */
#define SCORE_EXACT 1000

#if defined(__x86_64__)
#define HOST_ARCH "amd64"
#elif defined(__i386__)
#define HOST_ARCH "386"
#elif defined(__aarch64__)
#define HOST_ARCH "arm64"
#elif defined(__arm__)
#define HOST_ARCH "arm"
#elif defined(__riscv) && __riscv_xlen == 64
#define HOST_ARCH "riscv64"
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_ARCH "ppc64le"
#elif defined(__s390x__)
#define HOST_ARCH "s390x"
#elif defined(__loongarch64)
#define HOST_ARCH "loong64"
#elif defined(__mips64) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define HOST_ARCH "mips64le"
#else
#error "this architecture has no name in the image specification yet"
#endif

static const char *const KNOWN_OS[] = {
	"aix", "android", "darwin", "dragonfly", "freebsd", "hurd",    "illumos", "ios",
	"js",  "linux",   "netbsd", "openbsd",   "plan9",   "solaris", "windows", "zos"};
static const char *const KNOWN_ARCH[] = {
	"386",         "amd64",   "amd64p32", "arm",  "arm64",  "arm64be", "armbe",    "ppc",
	"ppc64",       "ppc64le", "loong64",  "mips", "mipsle", "mips64",  "mips64le", "mips64p32",
	"mips64p32le", "riscv",   "riscv64",  "s390", "s390x",  "sparc",   "sparc64",  "wasm"};

/** Spellings of an architecture; a variant of NULL leaves what was given. */
static const struct {
	const char *from, *arch, *variant;
} ARCH_ALIASES[] = {
	{"i386", "386", ""},        {"x86_64", "amd64", NULL}, {"x86-64", "amd64", NULL},
	{"aarch64", "arm64", NULL}, {"armhf", "arm", "v7"},    {"armel", "arm", "v6"},
};

/** Spellings of a variant, after those of the architecture. */
static const struct {
	const char *arch, *from, *variant;
} VARIANT_ALIASES[] = {
	{"amd64", "v1", ""},     {"arm64", "8", ""},   {"arm64", "v8", ""},
	{"arm64", "v8.0", ""},   {"arm64", "9", "v9"}, {"arm64", "9.0", "v9"},
	{"arm64", "v9.0", "v9"}, {"arm", "", "v7"},    {"arm", "7", "v7"},
	{"arm", "5", "v5"},      {"arm", "6", "v6"},   {"arm", "8", "v8"},
};

static bool is_one_of(const char *text, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (ob_str_eq(text, names[i]))
			return true;
	return false;
}

static void set_text(char *to, size_t cap, const char *text)
{
	(void)snprintf(to, cap, "%s", text);
}

static void normalize(ob_platform *p)
{
	ob_str_lower(p->os);
	ob_str_lower(p->arch);
	ob_str_lower(p->variant);
	if (p->os[0] == '\0')
		set_text(p->os, sizeof(p->os), "linux");
	else if (ob_str_eq(p->os, "macos"))
		set_text(p->os, sizeof(p->os), "darwin");
	for (size_t i = 0; i < OB_ARRAY_LEN(ARCH_ALIASES); i++) {
		if (!ob_str_eq(p->arch, ARCH_ALIASES[i].from))
			continue;
		set_text(p->arch, sizeof(p->arch), ARCH_ALIASES[i].arch);
		if (ARCH_ALIASES[i].variant)
			set_text(p->variant, sizeof(p->variant), ARCH_ALIASES[i].variant);
		break;
	}
	for (size_t i = 0; i < OB_ARRAY_LEN(VARIANT_ALIASES); i++) {
		if (!ob_str_eq(p->arch, VARIANT_ALIASES[i].arch) ||
		    !ob_str_eq(p->variant, VARIANT_ALIASES[i].from))
			continue;
		set_text(p->variant, sizeof(p->variant), VARIANT_ALIASES[i].variant);
		break;
	}
}

/** Of a 32-bit arm machine, by what the kernel calls it: "armv7l", "armv6l"; 64-bit kernels run v8. */
static void set_host_variant(ob_platform *p)
{
	struct utsname name;

	if (!ob_str_eq(p->arch, "arm") || uname(&name) < 0)
		return;
	if (ob_str_eq(name.machine, "aarch64"))
		set_text(p->variant, sizeof(p->variant), "v8");
	else if (ob_str_starts(name.machine, "armv") && name.machine[4] >= '3' &&
		 name.machine[4] <= '8')
		(void)snprintf(p->variant, sizeof(p->variant), "v%c", name.machine[4]);
}

void ob_platform_host(ob_platform *out)
{
	ob_platform host = {.os = "linux", .arch = HOST_ARCH};

	set_host_variant(&host);
	normalize(&host);
	*out = host;
}

static ocib_errc bad_platform(const char *text, const char *why, ocib_error **err)
{
	return ob_fail(err, OCIB_ERR_INVALID, "platform '%.100s': %s", text, why);
}

/** Take the characters up to '/' or the end; only those of @p extra and alphanumerics are allowed. */
static bool take_part(const char **text, const char *extra, char *to, size_t cap)
{
	size_t len = strcspn(*text, "/");

	if (len == 0 || len >= cap)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = (*text)[i];
		bool alnum =
			(c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

		if (!alnum && !strchr(extra, c))
			return false;
	}
	memcpy(to, *text, len);
	to[len] = '\0';
	*text += len;
	return true;
}

/** Split "windows(10.0.17763)" into its name and version. */
static bool split_os(char *part, ob_platform *p)
{
	char *open = strchr(part, '(');
	size_t len = strlen(part);

	if (open) {
		if (part[len - 1] != ')' || (size_t)(part + len - open - 1) > sizeof(p->os_version))
			return false;
		part[len - 1] = '\0';
		*open = '\0';
		if (strpbrk(open + 1, "()"))
			return false;
		set_text(p->os_version, sizeof(p->os_version), open + 1);
	}
	if (part[0] == '\0' || strpbrk(part, ".)") || strlen(part) >= sizeof(p->os))
		return false;
	set_text(p->os, sizeof(p->os), part);
	return true;
}

/** One word alone is an operating system or an architecture, whichever is known by that name. */
static bool expand_single(ob_platform *p)
{
	ob_platform as_arch = {.os = "linux"};

	normalize(p);
	if (is_one_of(p->os, KNOWN_OS, OB_ARRAY_LEN(KNOWN_OS))) {
		ob_platform host;

		ob_platform_host(&host);
		set_text(p->arch, sizeof(p->arch), host.arch);
		set_text(p->variant, sizeof(p->variant), host.variant);
		return true;
	}
	set_text(as_arch.arch, sizeof(as_arch.arch), p->os);
	normalize(&as_arch);
	if (p->os_version[0] || !is_one_of(as_arch.arch, KNOWN_ARCH, OB_ARRAY_LEN(KNOWN_ARCH)))
		return false;
	*p = as_arch;
	return true;
}

ocib_errc ob_platform_parse(const char *text, ob_platform *out, ocib_error **err)
{
	const char *rest = text;
	char os_part[128];
	ob_platform p = {0};

	if (!take_part(&rest, "_-.()", os_part, sizeof(os_part)) || !split_os(os_part, &p))
		return bad_platform(text, "the operating system is not a name", err);
	if (*rest == '\0') {
		if (!expand_single(&p))
			return bad_platform(text, "unknown operating system or architecture", err);
		*out = p;
		return OCIB_OK;
	}
	rest++;
	if (!take_part(&rest, "_.-", p.arch, sizeof(p.arch)))
		return bad_platform(text, "the architecture is not a name", err);
	if (*rest == '/') {
		rest++;
		if (!take_part(&rest, "_.-", p.variant, sizeof(p.variant)))
			return bad_platform(text, "the variant is not a name", err);
	}
	if (*rest != '\0')
		return bad_platform(text, "expected OS, OS/ARCH or OS/ARCH/VARIANT", err);
	normalize(&p);
	*out = p;
	return OCIB_OK;
}

void ob_platform_format(const ob_platform *p, char *out)
{
	(void)snprintf(out, 128, "%s%s%s%s%s", p->os[0] ? p->os : "unknown", p->arch[0] ? "/" : "",
		       p->arch, p->variant[0] ? "/" : "", p->variant);
}

static bool same(const ob_platform *a, const ob_platform *b)
{
	return ob_str_eq(a->os, b->os) && ob_str_eq(a->arch, b->arch) &&
	       ob_str_eq(a->variant, b->variant);
}

bool ob_platform_eq(const ob_platform *a, const ob_platform *b)
{
	ob_platform x = *a, y = *b;

	normalize(&x);
	normalize(&y);
	return same(&x, &y) && ob_str_eq(x.os_version, y.os_version);
}

/** "v7" → 7; -1 for everything that is not a version of one digit. */
static int variant_number(const char *variant)
{
	bool plain = variant[0] == 'v' && variant[1] >= '0' && variant[1] <= '9' && !variant[2];

	return plain ? variant[1] - '0' : -1;
}

/** arm64 versions as (major, minor); v9.x contains v8.(x+5) (Arm architecture manual). */
static bool arm64_version(const char *variant, int *major, int *minor)
{
	*major = 8;
	*minor = 0;
	if (variant[0] == '\0')
		return true;
	if (variant[0] != 'v' || (variant[1] != '8' && variant[1] != '9'))
		return false;
	*major = variant[1] - '0';
	if (variant[2] == '\0')
		return true;
	if (variant[2] != '.' || variant[3] < '0' || variant[3] > '9' || variant[4])
		return false;
	*minor = variant[3] - '0';
	return true;
}

static int match_arm(int want, const ob_platform *have, int score)
{
	int got = variant_number(have->variant);

	if (!ob_str_eq(have->arch, "arm") || got > want || got < 5)
		return -1;
	return score - (want - got);
}

static int match_arm64(const ob_platform *want, const ob_platform *have)
{
	int want_major, want_minor, major, minor;

	if (!arm64_version(want->variant, &want_major, &want_minor))
		return -1;
	if (ob_str_eq(have->arch, "arm"))
		return match_arm(8, have, SCORE_EXACT - 100);
	if (!ob_str_eq(have->arch, "arm64") || !arm64_version(have->variant, &major, &minor))
		return -1;
	if (major == want_major)
		return minor <= want_minor ? SCORE_EXACT - (want_minor - minor) : -1;
	if (major > want_major)
		return -1;
	int most = want_minor + 5 < 9 ? want_minor + 5 : 9;
	return minor <= most ? SCORE_EXACT - 20 - (most - minor) : -1;
}

static int match_amd64(const ob_platform *want, const ob_platform *have)
{
	int most = want->variant[0] ? variant_number(want->variant) : 1;
	int got = have->variant[0] ? variant_number(have->variant) : 1;

	if (ob_str_eq(have->arch, "386") && !have->variant[0])
		return SCORE_EXACT - 100;
	if (!ob_str_eq(have->arch, "amd64") || got < 1 || got > most)
		return -1;
	return SCORE_EXACT - (most - got);
}

/** Windows images only run on the build of Windows they were made for: the first three numbers. */
static bool windows_version_fits(const char *want, const char *have)
{
	size_t len = 0;
	int dots = 0;

	if (!want[0] || !have[0])
		return true;
	while (have[len] && (have[len] != '.' || ++dots < 3))
		len++;
	return strncmp(want, have, len) == 0 && (want[len] == '\0' || want[len] == '.');
}

int ob_platform_match(const ob_platform *want, const ob_platform *have)
{
	ob_platform w = *want, h = *have;

	normalize(&w);
	normalize(&h);
	if (!ob_str_eq(w.os, h.os) ||
	    (ob_str_eq(w.os, "windows") && !windows_version_fits(w.os_version, h.os_version)))
		return -1;
	if (same(&w, &h))
		return SCORE_EXACT;
	if (ob_str_eq(w.arch, "amd64"))
		return match_amd64(&w, &h);
	if (ob_str_eq(w.arch, "arm64"))
		return match_arm64(&w, &h);
	if (ob_str_eq(w.arch, "arm"))
		return match_arm(variant_number(w.variant), &h, SCORE_EXACT);
	return -1;
}

ob_json *ob_platform_to_json(const ob_platform *p)
{
	ob_json *json = ob_json_object();

	ob_json_set_str(json, "architecture", p->arch);
	ob_json_set_str(json, "os", p->os);
	if (p->os_version[0])
		ob_json_set_str(json, "os.version", p->os_version);
	if (p->variant[0])
		ob_json_set_str(json, "variant", p->variant);
	return json;
}

static ocib_errc read_member(const ob_json *json, const char *key, char *to, size_t cap,
			     ocib_error **err)
{
	const ob_json *value = ob_json_get(json, key);
	const char *text = ob_json_str(value);

	if (!value || ob_json_is_null(value))
		return OCIB_OK;
	if (!text)
		return ob_fail(err, OCIB_ERR_CORRUPT, "platform: '%s' is not a string", key);
	if (strlen(text) >= cap)
		return ob_fail(err, OCIB_ERR_LIMIT, "platform: '%s' is longer than %zu bytes", key,
			       cap - 1);
	memcpy(to, text, strlen(text) + 1);
	return OCIB_OK;
}

ocib_errc ob_platform_from_json(const ob_json *json, ob_platform *out, ocib_error **err)
{
	ob_platform p = {0};
	ocib_errc r;

	if (!ob_json_is_object(json))
		return ob_fail(err, OCIB_ERR_CORRUPT, "platform: not an object");
	r = read_member(json, "os", p.os, sizeof(p.os), err);
	if (r == OCIB_OK)
		r = read_member(json, "architecture", p.arch, sizeof(p.arch), err);
	if (r == OCIB_OK)
		r = read_member(json, "variant", p.variant, sizeof(p.variant), err);
	if (r == OCIB_OK)
		r = read_member(json, "os.version", p.os_version, sizeof(p.os_version), err);
	if (r == OCIB_OK)
		*out = p;
	return r;
}
