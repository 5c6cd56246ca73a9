/* cli/json_writer.h — JSON for people and programs: indented by two blanks, members in the order of calls. */
#ifndef CLI_JSON_WRITER_H
#define CLI_JSON_WRITER_H

#include <stdbool.h>
#include <stdio.h>

typedef struct json_writer {
	FILE *to;
	unsigned depth;
	bool filled; /**< what is open has a member */
} json_writer;

/** @p key is NULL for an item of an array, and for the outermost value. */
void json_writer_open(json_writer *json, const char *key, char bracket); /**< '{' or '[' */
void json_writer_close(json_writer *json, char bracket);                 /**< '}' or ']' */
void json_writer_text(json_writer *json, const char *key, const char *text);
/** The same, but nothing for an empty text. */
void json_writer_text_if(json_writer *json, const char *key, const char *text);
void json_writer_number(json_writer *json, const char *key, unsigned long number);
void json_writer_true_if(json_writer *json, const char *key, int value); /**< nothing for 0 */
void json_writer_false(json_writer *json, const char *key);
void json_writer_base64(json_writer *json, const char *key, const char *data, size_t len);

#endif
