/* engine/plan/plan_mount.c — RUN --mount: what the command will see at which place.
 *
 * Values are expanded with the stage's variables, then defaults are BuildKit's: a relative target is below
 * the WORKDIR, while a cache is called after its target as it is written.
 */
#include <string.h>
#include "base/paths.h"
#include "base/strings.h"
#include "engine/plan/planner.h"

#define NAME_SPACE_ARG "BUILDKIT_CACHE_MOUNT_NS"
#define SECRETS_DIR    "/run/secrets"
#define SSH_SOCKET     "/run/buildkit/ssh_agent."
#define SSH_VARIABLE   "SSH_AUTH_SOCK"

typedef struct word_place {
	const ob_dispatch *d;
	const ob_location *at;
} word_place;

/* A mount being read. */
typedef struct mount_reader {
	const ob_dispatch *d;
	const ob_location *at;
	ob_input from; /* what its "from" names */
	const ob_run_mount *given;
	ob_run_op *op;
	ob_step_mount *mount;
} mount_reader;

static ocib_errc expand_at(void *user, const char *word, char **out, ocib_error **err)
{
	const word_place *place = user;

	return ob_dispatch_expand(place->d, word, place->at, out, err);
}

/* The target where the command will find it; the root itself cannot be mounted over. */
static ocib_errc set_target(const mount_reader *m, const char *written, ocib_error **err)
{
	const char *dir = m->d->stage->config->working_dir;
	ob_autofree char *cwd = ob_path_join("/", dir ? dir : "");

	m->mount->target = cwd ? ob_path_join(cwd, written) : NULL;
	if (!m->mount->target)
		return ob_fail_nomem(err);
	if (!ob_str_eq(m->mount->target, "/"))
		return OCIB_OK;
	return ob_fail_here(err, m->d, m->at, OCIB_ERR_SYNTAX, "invalid mount target '%s'%s",
			    m->mount->target, *written ? "" : ": the mount needs a target");
}

static ocib_errc read_target(const mount_reader *m, ocib_error **err)
{
	return set_target(m, m->given->target ? m->given->target : "", err);
}

static void set_owner(const mount_reader *m, uint32_t default_mode)
{
	m->mount->mode = m->given->has_mode ? m->given->mode & 07777 : default_mode;
	m->mount->uid = m->given->has_uid ? m->given->uid : 0;
	m->mount->gid = m->given->has_gid ? m->given->gid : 0;
}

static ocib_errc read_tmpfs(const mount_reader *m, ocib_error **err)
{
	m->mount->size = m->given->size > 0 ? (uint64_t)m->given->size : 0;
	return read_target(m, err);
}

/* A file unless it is a variable only; called after its id, which is the last of its target's name. */
static ocib_errc read_secret(const mount_reader *m, ocib_error **err)
{
	const ob_run_mount *given = m->given;
	ob_autofree char *target = ob_path_clean(given->target ? given->target : "");
	const char *id = given->source ? given->source : given->id;
	ob_step_mount *mount = m->mount;

	if (!target)
		return ob_fail_nomem(err);
	mount->id = strdup(id ? id : ob_path_base(target));
	ob_autofree char *clean = mount->id ? ob_path_clean(mount->id) : NULL;
	ob_autofree char *place =
		clean ? ob_str_printf(SECRETS_DIR "/%s", ob_path_base(clean)) : NULL;
	if (!place)
		return ob_fail_nomem(err);
	mount->required = given->required;
	set_owner(m, 0400);
	if (given->env) {
		mount->env = strdup(*given->env ? given->env : mount->id);
		if (!mount->env)
			return ob_fail_nomem(err);
	}
	if (given->env && !given->target)
		return OCIB_OK;
	return set_target(m, given->target ? given->target : place, err);
}

/* The node that "from" names, *node; without one, the build context where it is @p wanted. */
static ocib_errc find_node(const mount_reader *m, bool wants_context, ocib_error **err)
{
	ob_planner *p = m->d->planner;
	ob_input from = ob_planner_real_input(p, m->from);
	size_t *node = &m->mount->from;
	ocib_errc r = OCIB_OK;

	if (from.kind == OB_INPUT_STAGE) {
		*node = p->stages[from.index].node;
		if (*node != OB_NO_INDEX)
			return OCIB_OK;
		return ob_fail_here(err, m->d, m->at, OCIB_ERR_SYNTAX,
				    "cannot mount from stage '%s' to '%s', the stage needs to be "
				    "defined before the current command",
				    p->stages[from.index].label, m->mount->target);
	}
	if (from.kind == OB_INPUT_NONE && !wants_context)
		return OCIB_OK;
	if (from.kind == OB_INPUT_NONE)
		r = ob_planner_main_context(p, ob_dispatch_place(m->d, m->at), &from.index, err);
	return r ? r : ob_planner_source_node(p, from.index, node, err);
}

static ocib_errc make_node(const mount_reader *m, ocib_error **err)
{
	ob_step_mount *mount = m->mount;
	ob_autofree char *path = ob_take_ptr(mount->source);

	mount->source = strdup(OB_MOUNT_PATH);
	if (!mount->source)
		return ob_fail_nomem(err);
	return ob_planner_mount_node(m->d->planner, mount->from, path, &mount->at, &mount->from,
				     err);
}

static ocib_errc set_source(const mount_reader *m, ocib_error **err)
{
	m->mount->source = ob_path_join("/", m->given->source ? m->given->source : "");
	return m->mount->source ? OCIB_OK : ob_fail_nomem(err);
}

/* A tree is shown as it is; a directory is seen through its ignore file. */
static ocib_errc read_bind(const mount_reader *m, ocib_error **err)
{
	ocib_errc r = set_source(m, err);

	if (!r)
		r = read_target(m, err);
	if (!r)
		r = find_node(m, true, err);
	if (!r && m->d->planner->plan->nodes[m->mount->from].kind == OB_NODE_CONTEXT)
		r = make_node(m, err);
	return r;
}

/* A cache that has an owner and no source begins empty, whatever its "from" is. */
static ocib_errc read_seed(const mount_reader *m, ocib_error **err)
{
	const ob_run_mount *given = m->given;
	bool is_whole = ob_str_eq(m->mount->source, "/");
	ocib_errc r = find_node(m, false, err);

	if (r || m->mount->from == OB_NO_NODE)
		return r;
	if (!is_whole || (!given->has_mode && !given->has_uid && !given->has_gid))
		return make_node(m, err);
	m->mount->from = OB_NO_NODE;
	return OCIB_OK;
}

static ocib_errc read_cache(const mount_reader *m, ocib_error **err)
{
	const ob_run_mount *given = m->given;
	const char *name_space = ob_env_get(&m->d->planner->build_args, NAME_SPACE_ARG);
	ob_autofree char *target = ob_path_clean(given->target ? given->target : "");
	ob_step_mount *mount = m->mount;

	ocib_errc r = set_source(m, err);

	if (r)
		return r;
	mount->id = target ? ob_str_printf("%s/%s", name_space ? name_space : "",
					   given->id ? given->id : target)
			   : NULL;
	if (!mount->id)
		return ob_fail_nomem(err);
	mount->sharing = given->sharing ? given->sharing : OB_SHARING_SHARED;
	if (ob_str_eq(mount->source, "/"))
		set_owner(m, 0755);
	else
		mount->mode = 0755; /* as a cache that nobody asked an owner for */
	r = read_target(m, err);
	return r ? r : read_seed(m, err);
}

/* Sockets without a target are numbered; the first of all is where ssh looks, unless it was told. */
static ocib_errc read_ssh(const mount_reader *m, ocib_error **err)
{
	const ob_run_mount *given = m->given;
	ob_step_mount *mount = m->mount;

	if (given->source)
		return ob_fail_here(err, m->d, m->at, OCIB_ERR_SYNTAX,
				    "an ssh mount has no source; what it forwards is its id");
	ob_autofree char *place = ob_str_printf(SSH_SOCKET "%zu", m->op->ssh_count);
	mount->id = strdup(given->id ? given->id : "default");
	if (!mount->id || !place)
		return ob_fail_nomem(err);
	mount->required = given->required;
	set_owner(m, 0600);
	ocib_errc r = set_target(m, given->target ? given->target : place, err);
	if (!r && !m->op->ssh_count++ && !ob_env_get(&m->op->env, SSH_VARIABLE) &&
	    ob_env_set(&m->op->env, SSH_VARIABLE, mount->target) < 0)
		r = ob_fail_nomem(err);
	return r;
}

static ocib_errc (*const readers[])(const mount_reader *m, ocib_error **err) = {
	[OB_RUN_MOUNT_BIND] = read_bind,   [OB_RUN_MOUNT_CACHE] = read_cache,
	[OB_RUN_MOUNT_TMPFS] = read_tmpfs, [OB_RUN_MOUNT_SECRET] = read_secret,
	[OB_RUN_MOUNT_SSH] = read_ssh,
};

static ocib_errc read_mount(const mount_reader *m, ocib_error **err)
{
	const ob_run_mount *given = m->given;

	m->mount->type = given->type;
	m->mount->from = OB_NO_NODE;
	m->mount->read_only = given->read_only;
	m->mount->at = *ob_dispatch_place(m->d, m->at);
	return readers[given->type](m, err);
}

static ocib_errc add_mount(const ob_dispatch *d, const ob_flag *flag, ob_run_op *op,
			   ocib_error **err)
{
	word_place place = {d, &flag->at};
	ob_autodone(ob_run_mount) given = {0};
	ocib_errc r = ob_planner_spend(d->planner, sizeof(ob_step_mount), d->command->at, err);

	if (!r)
		r = ob_run_mount_parse(flag->value, expand_at, &place, &given, err);
	if (r)
		return ob_source_locate(&d->planner->dockerfile->source,
					ob_dispatch_place(d, &flag->at), r, err);
	const mount_reader m = {
		.d = d,
		.at = &flag->at,
		.from = d->command->from[op->mount_count],
		.given = &given,
		.op = op,
		.mount = &op->mounts[op->mount_count],
	};
	op->mount_count++;
	return read_mount(&m, err);
}

ocib_errc ob_dispatch_mounts(ob_dispatch *d, ob_run_op *op, ocib_error **err)
{
	size_t count = d->instruction->flag_count;
	ocib_errc r = OCIB_OK;

	if (!ob_dispatch_flag(d, "mount"))
		return OCIB_OK;
	op->mounts = calloc(count, sizeof(*op->mounts));
	if (!op->mounts)
		return ob_fail_nomem(err);
	for (size_t i = 0; !r && i < count; i++)
		if (ob_str_eq(d->instruction->flags[i].name, "mount"))
			r = add_mount(d, &d->instruction->flags[i], op, err);
	return r;
}
