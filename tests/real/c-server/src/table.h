/* A small table of strings. */
const char *table_get(const char *key);
int table_set(const char *key, const char *value);
