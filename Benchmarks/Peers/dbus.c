// A call over D-Bus, through a message bus: client, dbus-daemon, service and back. Both ends are sd-bus.
#include "peers.h"

#include <string.h>
#include <systemd/sd-bus.h>

#define NAME "io.spschedd.Benchmark"
// As long as what the floor echoes.
#define LENGTH 64

static sd_bus *bus;

void dbus_open(const char *address) {
    int error;
    if ((error = sd_bus_new(&bus)) < 0 || (error = sd_bus_set_address(bus, address)) < 0
        || (error = sd_bus_set_bus_client(bus, 1)) < 0 || (error = sd_bus_start(bus)) < 0)
        give_up("no message bus at %s: %s", address, strerror(-error));
}

void dbus_ping(void) {
    sd_bus_error reason = SD_BUS_ERROR_NULL;
    if (sd_bus_call_method(bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.Peer", "Ping",
            &reason, NULL, NULL)
        < 0)
        give_up("dbus-daemon does not answer Ping: %s", reason.message);
}

void dbus_echo(void) {
    static const char bytes[LENGTH];
    sd_bus_message *call = NULL, *reply = NULL;
    sd_bus_error reason = SD_BUS_ERROR_NULL;
    const void *back;
    size_t length = 0;
    if (sd_bus_message_new_method_call(bus, &call, NAME, "/", NAME, "Echo") < 0
        || sd_bus_message_append_array(call, 'y', bytes, sizeof bytes) < 0)
        give_up("no memory for a D-Bus message");
    if (sd_bus_call(bus, call, 0, &reason, &reply) < 0)
        give_up("the echo service does not answer: %s", reason.message);
    if (sd_bus_message_read_array(reply, 'y', &back, &length) < 0 || length != LENGTH)
        give_up("the echo service answers %zu bytes instead of %d", length, LENGTH);
    sd_bus_message_unref(call);
    sd_bus_message_unref(reply);
}

static int answer(sd_bus_message *call, void *unused, sd_bus_error *error) {
    (void)unused;
    (void)error;
    if (!sd_bus_message_is_method_call(call, NAME, "Echo"))
        return 0;
    const void *bytes;
    size_t length;
    sd_bus_message *reply = NULL;
    if (sd_bus_message_read_array(call, 'y', &bytes, &length) < 0 || sd_bus_message_new_method_return(call, &reply) < 0
        || sd_bus_message_append_array(reply, 'y', bytes, length) < 0 || sd_bus_send(NULL, reply, NULL) < 0)
        give_up("cannot answer a call");
    sd_bus_message_unref(reply);
    return 1;
}

_Noreturn void dbus_serve(const char *address) {
    dbus_open(address);
    int error;
    if ((error = sd_bus_add_object(bus, NULL, "/", answer, NULL)) < 0
        || (error = sd_bus_request_name(bus, NAME, 0)) < 0)
        give_up("cannot be %s on the bus: %s", NAME, strerror(-error));
    for (;;) {
        while ((error = sd_bus_process(bus, NULL)) > 0)
            ;
        if (error < 0 || (error = sd_bus_wait(bus, UINT64_MAX)) < 0)
            give_up("the message bus is gone: %s", strerror(-error));
    }
}
