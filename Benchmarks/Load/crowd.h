// Many connections in one process: each is a VM, and all ask at once.
#pragma once

#include <stdint.h>

// Connects and registers `count` VMs, and prints how long that took. Then lets them take `operations` turns, all of
// them asking all the time, and prints that too. Keeps the connections open until standard input ends.
void play_crowd(const char *path, uint32_t count, uint64_t operations);
