/* cli/release/release_ci.h — what CI systems make of a log: groups, annotations, a summary. */
#ifndef CLI_RELEASE_CI_H
#define CLI_RELEASE_CI_H

#include <ocibuild/ocibuild.h>

/** A foldable part of the log, under GitHub (and Gitea, Forgejo) and GitLab; elsewhere nothing. */
void ci_group_begin(const char *id, const char *title);
void ci_group_end(const char *id);
/** ::error file=,line=:: under GitHub. Before the error is reported and freed. */
void ci_annotate(const ocib_error *err);
/** The same for an error that is a text; @p file may be NULL. */
void ci_annotate_text(const char *file, unsigned line, const char *text);

#endif
