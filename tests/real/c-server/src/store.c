/* A key-value server that speaks enough of a line protocol: SET KEY VALUE, GET KEY, PING, QUIT. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "table.h"

static void answer(FILE *client, char *line)
{
	char *save = NULL, *verb = strtok_r(line, " \r\n", &save);
	char *key = strtok_r(NULL, " \r\n", &save), *value = strtok_r(NULL, "\r\n", &save);

	if (verb && !strcmp(verb, "PING"))
		fputs("+PONG\r\n", client);
	else if (verb && !strcmp(verb, "SET") && key && value && table_set(key, value))
		fputs("+OK\r\n", client);
	else if (verb && !strcmp(verb, "GET") && key && table_get(key))
		fprintf(client, "+%s\r\n", table_get(key));
	else
		fputs("-ERR\r\n", client);
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int yes = 1, listening = socket(AF_INET, SOCK_STREAM, 0);

	address.sin_port = htons((unsigned short)atoi(argc > 1 ? argv[1] : "6379"));
	setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(listening, (struct sockaddr *)&address, sizeof(address)) || listen(listening, 8)) {
		perror("store");
		return 1;
	}
	for (;;) {
		char line[512];
		int fd = accept(listening, NULL, NULL);
		FILE *client = fd < 0 ? NULL : fdopen(fd, "r+");

		while (client && fgets(line, sizeof(line), client) && strncmp(line, "QUIT", 4)) {
			fseek(client, 0, SEEK_CUR);
			answer(client, line);
			fflush(client);
		}
		if (client)
			fclose(client);
	}
}
