/* Matches as Kamailio's and OpenSIPS's =~ do: regcomp(3) with REG_EXTENDED | REG_ICASE | REG_NOSUB, and with an argument
 * with REG_NEWLINE besides, as OpenSIPS's remove_hf_re() does. Each line of standard input is a
 * pattern and a text, both in hexadecimal digits; each line of standard output is 1, 0, or ! for a bad pattern. */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int digit(char c) {
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

static char *read_hex(char **at) {
	size_t size = strcspn(*at, " \n"), i;
	char *text = calloc(size / 2 + 1, 1);
	for (i = 0; i + 1 < size; i += 2) {
		text[i / 2] = (char)(digit((*at)[i]) * 16 + digit((*at)[i + 1]));
	}
	*at += size + 1;
	return text;
}

int main(int argc, char **argv) {
	int flags = REG_EXTENDED | REG_ICASE | REG_NOSUB | (argc > 1 ? REG_NEWLINE : 0);
	(void)argv;
	char *line = NULL, *known = NULL;
	size_t room = 0;
	regex_t compiled;
	int bad = 1;
	while (getline(&line, &room, stdin) > 0) {
		char *at = line, *pattern = read_hex(&at), *text = read_hex(&at);
		if (known == NULL || strcmp(known, pattern) != 0) {
			if (!bad) regfree(&compiled);
			bad = regcomp(&compiled, pattern, flags) != 0;
			free(known);
			known = strdup(pattern);
		}
		puts(bad ? "!" : regexec(&compiled, text, 0, NULL, 0) == 0 ? "1" : "0");
		free(pattern);
		free(text);
	}
	return 0;
}
