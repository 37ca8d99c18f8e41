/* Matches as Kamailio's and OpenSIPS's =~ do: regcomp(3) with REG_EXTENDED | REG_ICASE | REG_NOSUB, and with an argument
 * with REG_NEWLINE besides, as OpenSIPS's remove_hf_re() does. The first line of standard input is the pattern, each other
 * one a text, in hexadecimal digits; for each text there is a line of standard output: 1, 0, or ! for a bad pattern. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c) {
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The text that the digits stand for, in their place. */
static char *read_hex(char *line) {
	size_t size = strcspn(line, "\n"), i;
	for (i = 0; i + 1 < size; i += 2) {
		line[i / 2] = (char)(digit(line[i]) * 16 + digit(line[i + 1]));
	}
	line[i / 2] = '\0';
	return line;
}

int main(int argc, char **argv) {
	int flags = REG_EXTENDED | REG_ICASE | REG_NOSUB | (argc > 1 ? REG_NEWLINE : 0);
	(void)argv;
	char *line = NULL;
	size_t room = 0;
	regex_t compiled;
	if (getline(&line, &room, stdin) <= 0) return 2;
	int bad = regcomp(&compiled, read_hex(line), flags) != 0;
	while (getline(&line, &room, stdin) > 0) {
		puts(bad ? "!" : regexec(&compiled, read_hex(line), 0, NULL, 0) == 0 ? "1" : "0");
	}
	return 0;
}
