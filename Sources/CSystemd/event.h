// sd-event(3): signals, watchdog and the control plane. Its descriptor is a member of the daemon's own epoll.
#pragma once

#include <systemd/sd-event.h>
