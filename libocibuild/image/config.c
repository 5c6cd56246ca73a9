/* image/config.c — image configurations as objects: made, copied, filled.
 *
 * Reading and writing their JSON is in config_parse.c and config_format.c. An object may hold texts that
 * JSON cannot (an ENV with bytes that are not UTF-8); writing mends them as Go does.
 */
#include "image/config.h"
#include <string.h>
#include "base/strings.h"

static void free_history(ob_history *h)
{
	free(h->created);
	free(h->created_by);
	free(h->author);
	free(h->comment);
}

ob_config *ob_config_new(void)
{
	return calloc(1, sizeof(ob_config));
}

ob_config *ob_config_free(ob_config *config)
{
	if (!config)
		return NULL;
	ob_strlist *lists[] = {
		&config->env,        &config->exposed_ports,   &config->volumes,
		&config->labels,     &config->entrypoint.args, &config->cmd.args,
		&config->shell.args, &config->on_build,        &config->healthcheck.test};
	char *texts[] = {config->created, config->author, config->user, config->working_dir,
			 config->stop_signal};

	for (size_t i = 0; i < OB_ARRAY_LEN(lists); i++)
		ob_strlist_done(lists[i]);
	for (size_t i = 0; i < OB_ARRAY_LEN(texts); i++)
		free(texts[i]);
	for (size_t i = 0; i < config->history_count; i++)
		free_history(&config->history[i]);
	free(config->history);
	free(config->diff_ids);
	(void)ob_json_free(config->rest);
	(void)ob_json_free(config->config_rest);
	free(config);
	return NULL;
}

static int copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -1 : 0;
}

static int copy_command(ob_command *to, const ob_command *from)
{
	to->is_set = from->is_set;
	return ob_strlist_copy(&to->args, &from->args);
}

static int copy_healthcheck(ob_healthcheck *to, const ob_healthcheck *from)
{
	*to = *from;
	memset(&to->test, 0, sizeof(to->test));
	return ob_strlist_copy(&to->test, &from->test);
}

static int copy_texts(ob_config *to, const ob_config *from)
{
	if (copy_text(&to->created, from->created) < 0 ||
	    copy_text(&to->author, from->author) < 0 || copy_text(&to->user, from->user) < 0 ||
	    copy_text(&to->working_dir, from->working_dir) < 0 ||
	    copy_text(&to->stop_signal, from->stop_signal) < 0)
		return -1;
	return 0;
}

static int copy_lists(ob_config *to, const ob_config *from)
{
	if (ob_strlist_copy(&to->env, &from->env) < 0 ||
	    ob_strlist_copy(&to->exposed_ports, &from->exposed_ports) < 0 ||
	    ob_strlist_copy(&to->volumes, &from->volumes) < 0 ||
	    ob_strlist_copy(&to->labels, &from->labels) < 0 ||
	    ob_strlist_copy(&to->on_build, &from->on_build) < 0 ||
	    copy_command(&to->entrypoint, &from->entrypoint) < 0 ||
	    copy_command(&to->cmd, &from->cmd) < 0 || copy_command(&to->shell, &from->shell) < 0 ||
	    copy_healthcheck(&to->healthcheck, &from->healthcheck) < 0)
		return -1;
	return 0;
}

static int copy_layers(ob_config *to, const ob_config *from)
{
	for (size_t i = 0; i < from->diff_id_count; i++)
		if (ob_config_add_diff_id(to, &from->diff_ids[i]) < 0)
			return -1;
	for (size_t i = 0; i < from->history_count; i++) {
		const ob_history *h = &from->history[i];

		if (ob_config_add_history(to, h->created, h->created_by, h->author, h->comment,
					  h->empty_layer) < 0)
			return -1;
	}
	return 0;
}

ob_config *ob_config_copy(const ob_config *from)
{
	ob_auto(ob_config) to = ob_config_new();

	if (!to || copy_texts(to, from) < 0 || copy_lists(to, from) < 0 ||
	    copy_layers(to, from) < 0)
		return NULL;
	to->platform = from->platform;
	to->args_escaped = from->args_escaped;
	to->rest = from->rest ? ob_json_copy(from->rest) : NULL;
	to->config_rest = from->config_rest ? ob_json_copy(from->config_rest) : NULL;
	if ((from->rest && !to->rest) || (from->config_rest && !to->config_rest))
		return NULL;
	return ob_take_ptr(to);
}

int ob_config_set_label(ob_config *config, const char *key, const char *value)
{
	ob_strlist *labels = &config->labels;

	for (size_t i = 0; i + 1 < labels->len; i += 2) {
		char *copy;

		if (!ob_str_eq(labels->items[i], key))
			continue;
		copy = strdup(value);
		if (!copy)
			return -1;
		free(labels->items[i + 1]);
		labels->items[i + 1] = copy;
		return 0;
	}
	if (ob_strlist_add(labels, key) < 0)
		return -1;
	if (ob_strlist_add(labels, value) < 0) {
		ob_strlist_remove(labels, labels->len - 1);
		return -1;
	}
	return 0;
}

int ob_config_add_diff_id(ob_config *config, const ob_digest *diff_id)
{
	ob_digest *more = reallocarray(config->diff_ids, config->diff_id_count + 1, sizeof(*more));

	if (!more)
		return -1;
	config->diff_ids = more;
	more[config->diff_id_count++] = *diff_id;
	return 0;
}

int ob_config_add_history(ob_config *config, const char *created, const char *created_by,
			  const char *author, const char *comment, bool empty_layer)
{
	ob_history *more = reallocarray(config->history, config->history_count + 1, sizeof(*more));
	ob_history one = {.empty_layer = empty_layer};

	if (!more)
		return -1;
	config->history = more;
	if (copy_text(&one.created, created) < 0 || copy_text(&one.created_by, created_by) < 0 ||
	    copy_text(&one.author, author) < 0 || copy_text(&one.comment, comment) < 0) {
		free_history(&one);
		return -1;
	}
	more[config->history_count++] = one;
	return 0;
}
