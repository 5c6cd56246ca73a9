/* engine/copy/copy_write.c — the target tree to layer entries.
 *
 * Of files that are hard links to one another the first in the layer's order carries the content. They
 * may have come apart since (one was replaced, or got other attributes from another source): only those
 * that are still equal are linked.
 */
#include <string.h>
#include "base/strings.h"
#include "engine/copy/copy_inside.h"

static bool same_file(const ob_target_node *a, const ob_target_node *b)
{
	return a->type == b->type && a->mode == b->mode && a->uid == b->uid && a->gid == b->gid &&
	       a->content.kind == b->content.kind && a->size == b->size &&
	       a->mtime_sec == b->mtime_sec;
}

/* The node as an entry; all memory is borrowed from the node. */
static ob_entry make_entry(const ob_target_node *node)
{
	const ob_copy_file *file = node->file;
	union {
		const char *in;
		char *out;
	} link = {.in = node->link}; /* entries are copied by the writer */
	ob_entry entry = {
		.path = node->path,
		.type = node->type,
		.mode = node->mode,
		.uid = node->uid,
		.gid = node->gid,
		.size = node->size,
		.mtime_sec = node->mtime_sec,
		.link = link.out,
		.dev_major = node->dev_major,
		.dev_minor = node->dev_minor,
	};

	if (node->extra) {
		entry.xattrs = node->extra->xattrs;
		entry.xattr_count = node->extra->xattr_count;
	} else if (file) {
		entry.xattrs = file->xattrs;
		entry.xattr_count = file->xattr_count;
	}
	if (node->content.kind == OB_CONTENT_BLOB) {
		entry.has_digest = true;
		memcpy(entry.digest, node->content.blob->bytes, sizeof(entry.digest));
	}
	if (file && node->content.kind == OB_CONTENT_SOURCE && file->has_digest) {
		entry.has_digest = true;
		memcpy(entry.digest, file->digest, sizeof(entry.digest));
	}
	return entry;
}

static ocib_errc write_inline(const ob_target_node *node, const ob_entry *entry,
			      ob_layer_writer *writer, ocib_error **err)
{
	ob_auto(ob_reader) content = NULL;
	ocib_errc r = ob_reader_open_memory(node->content.data, node->size, &content, err);

	return r ? r : ob_layer_writer_add(writer, entry, content, err);
}

/* It may have been there for long: the digest is looked at again. */
static ocib_errc write_blob(const ob_copy_job *job, const ob_target_node *node,
			    const ob_entry *entry, ob_layer_writer *writer, ocib_error **err)
{
	const ob_digest *digest = node->content.blob;
	ob_auto(ob_reader) plain = NULL;
	ob_auto(ob_reader) verified = NULL;
	ob_autofd int fd = -1;
	ocib_errc r = ob_store_open_blob(job->input.store, digest, node->size, &fd, err);

	if (!r)
		r = ob_reader_open_range(fd, false, 0, UINT64_MAX, &plain, err);
	if (!r)
		r = ob_reader_open_verify(ob_take_ptr(plain), digest->bytes, node->size,
					  digest->text, &verified, err);
	return r ? r : ob_layer_writer_add(writer, entry, verified, err);
}

static ocib_errc write_spooled(const ob_copy_job *job, const ob_target_node *node,
			       const ob_entry *entry, ob_layer_writer *writer, ocib_error **err)
{
	ob_auto(ob_reader) content = NULL;
	ocib_errc r = ob_reader_open_range(ob_blob_writer_fd(job->spool), false,
					   node->content.offset, node->size, &content, err);

	return r ? r : ob_layer_writer_add(writer, entry, content, err);
}

static ocib_errc write_from_base(ob_copy_job *job, const ob_target_node *node,
				 const ob_entry *entry, ob_layer_writer *writer, ocib_error **err)
{
	ob_reader *content = NULL;
	ocib_errc r = OCIB_OK;

	if (!job->base_reader)
		r = ob_tree_reader_new(job->input.base, &job->base_reader, err);
	if (!r)
		r = ob_tree_reader_open(job->base_reader, &node->content.found, &content, err);
	return r ? r : ob_layer_writer_add(writer, entry, content, err);
}

static ocib_errc write_node(ob_copy_job *job, const ob_target_node *node, ob_layer_writer *writer,
			    ocib_error **err)
{
	ob_entry entry = make_entry(node);

	switch (node->content.kind) {
	case OB_CONTENT_NONE: break;
	case OB_CONTENT_SOURCE:
		return node->content.source->ops->write(node->content.source, node->file, &entry,
							writer, err);
	case OB_CONTENT_INLINE:
		if (node->size)
			return write_inline(node, &entry, writer, err);
		break;
	case OB_CONTENT_BLOB:
		if (node->size)
			return write_blob(job, node, &entry, writer, err);
		break;
	case OB_CONTENT_SPOOL:
		if (node->size)
			return write_spooled(job, node, &entry, writer, err);
		break;
	case OB_CONTENT_BASE:
		if (node->size)
			return write_from_base(job, node, &entry, writer, err);
		break;
	}
	return ob_layer_writer_add(writer, &entry, NULL, err);
}

static ocib_errc write_link(const ob_target_node *node, const ob_target_node *first,
			    ob_layer_writer *writer, ocib_error **err)
{
	ob_entry entry = make_entry(node);

	entry.type = OB_ENTRY_HARDLINK;
	entry.size = 0;
	entry.has_digest = false;
	entry.link = first->path;
	return ob_layer_writer_add(writer, &entry, NULL, err);
}

static ocib_errc write_opaque(const ob_target_node *node, ob_layer_writer *writer, ocib_error **err)
{
	const ob_entry mark = {.path = node->path, .type = OB_ENTRY_OPAQUE};

	return ob_layer_writer_add(writer, &mark, NULL, err);
}

ocib_errc ob_copy_write_target(ob_copy_job *job, ob_layer_writer *writer, ocib_error **err)
{
	ob_autofree const ob_target_node **first =
		calloc((size_t)job->group_count + 1, sizeof(*first));
	ob_autofree ob_target_node **nodes = NULL;
	size_t count = 0;
	ocib_errc r =
		first ? ob_target_sorted(job->target, &nodes, &count, err) : ob_fail_nomem(err);

	for (size_t i = 0; i < count && !r; i++) {
		const ob_target_node *node = nodes[i], *link = first ? first[node->group] : NULL;

		r = ob_check_canceled(job->ctx, err);
		if (r)
			break;
		if (node->group && link && same_file(node, link)) {
			r = write_link(node, link, writer, err);
			continue;
		}
		r = write_node(job, node, writer, err);
		if (first && node->group && !link)
			first[node->group] = node;
		if (!r && node->opaque)
			r = write_opaque(node, writer, err);
	}
	return r;
}
