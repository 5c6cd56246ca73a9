/* engine/signal_name.c — signals by the names and numbers that Docker knows them by. */
#include "engine/signal_name.h"
#include <signal.h>
#include <string.h>
#include "base/strings.h"

/* As in Docker: what is below is the C library's own. */
#define FIRST_REAL_TIME 34
#define LAST_REAL_TIME  64

static const struct {
	const char *name;
	int number;
} names[] = {
	{"ABRT", SIGABRT},
	{"ALRM", SIGALRM},
	{"BUS", SIGBUS},
	{"CHLD", SIGCHLD},
	{"CLD", SIGCHLD},
	{"CONT", SIGCONT},
	{"FPE", SIGFPE},
	{"HUP", SIGHUP},
	{"ILL", SIGILL},
	{"INT", SIGINT},
	{"IO", SIGIO},
	{"IOT", SIGABRT},
	{"KILL", SIGKILL},
	{"PIPE", SIGPIPE},
	{"POLL", SIGPOLL},
	{"PROF", SIGPROF},
	{"PWR", SIGPWR},
	{"QUIT", SIGQUIT},
	{"SEGV", SIGSEGV},
	{"STOP", SIGSTOP},
	{"SYS", SIGSYS},
	{"TERM", SIGTERM},
	{"TRAP", SIGTRAP},
	{"TSTP", SIGTSTP},
	{"TTIN", SIGTTIN},
	{"TTOU", SIGTTOU},
	{"URG", SIGURG},
	{"USR1", SIGUSR1},
	{"USR2", SIGUSR2},
	{"XCPU", SIGXCPU},
	{"XFSZ", SIGXFSZ},
	{"WINCH", SIGWINCH},
	{"STKFLT", 16},
	{"VTALRM", SIGVTALRM},
	{"RTMIN", FIRST_REAL_TIME},
	{"RTMAX", LAST_REAL_TIME},
};

/* "RTMIN+3", "RTMAX-1". */
static bool parse_real_time(const char *text, int *number)
{
	uint64_t offset = 0;

	if (strncasecmp(text, "RTMIN+", 6) == 0 && text[6] != '0' &&
	    ob_parse_u64(text + 6, 10, 15, &offset)) {
		*number = FIRST_REAL_TIME + (int)offset;
		return true;
	}
	if (strncasecmp(text, "RTMAX-", 6) == 0 && text[6] != '0' &&
	    ob_parse_u64(text + 6, 10, 14, &offset)) {
		*number = LAST_REAL_TIME - (int)offset;
		return true;
	}
	return false;
}

bool ob_signal_parse(const char *text, int *number)
{
	int64_t value;

	if (ob_parse_i64(text, &value)) {
		*number = (int)value;
		return value != 0 && value == (int)value;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 0; i < OB_ARRAY_LEN(names); i++) {
		if (ob_str_eq_nocase(text, names[i].name)) {
			*number = names[i].number;
			return true;
		}
	}
	return parse_real_time(text, number);
}
