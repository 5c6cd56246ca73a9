/* engine/signal_name.h — the signal that a STOPSIGNAL names. */
#ifndef OB_ENGINE_SIGNAL_NAME_H
#define OB_ENGINE_SIGNAL_NAME_H

#include <stdbool.h>

/** "TERM", "SIGTERM", "sigterm", "15", "SIGRTMIN+3", "RTMAX-1". @return false: no such signal. */
bool ob_signal_parse(const char *text, int *number);

#endif
