// sd_journal_sendv(3). The caller sends CODE_FILE, CODE_LINE and CODE_FUNC itself: the macros would name this header.
#pragma once

#ifndef SD_JOURNAL_SUPPRESS_LOCATION
#define SD_JOURNAL_SUPPRESS_LOCATION
#endif
#include <systemd/sd-journal.h>
