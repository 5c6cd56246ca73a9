/* image/reference.h — [domain/]path[:tag][@digest], with Docker's defaults and normalisation. */
#ifndef OB_IMAGE_REFERENCE_H
#define OB_IMAGE_REFERENCE_H

#include "image/digest.h"

typedef struct ob_reference {
	char *domain;     /**< "docker.io", "127.0.0.1:5000" */
	char *path;       /**< "library/python" */
	char *tag;        /**< NULL when there is none */
	ob_digest digest; /**< unset when there is none */
} ob_reference;

void ob_reference_done(ob_reference *ref);
/**
 * Docker's ParseNormalizedNamed: default domain docker.io, "library/" for one-component names there.
 * No tag is added; call ob_reference_default_tag() for ":latest" where neither tag nor digest is given.
 * Kinds: INVALID, LIMIT.
 */
ocib_errc ob_reference_parse(const char *text, ob_reference *out, ocib_error **err);
ocib_errc ob_reference_default_tag(ob_reference *ref, ocib_error **err);
/** Full form "docker.io/library/python:3.11@sha256:…"; malloc'ed, NULL when out of memory. */
char *ob_reference_format(const ob_reference *ref);
/** What a person would type: without docker.io/library/. */
char *ob_reference_familiar(const ob_reference *ref);
bool ob_reference_is_loopback(const ob_reference *ref); /**< domain is localhost, 127/8 or [::1] */

#endif
