// The peers that `peers` knows. Each file below brings one kind.
#pragma once

// `open` may be called once; `operation` then as often as wanted. Both end the program if anything goes wrong: a peer
// that refuses is not measured.
struct peer {
    const char *name, *where, *what;
    void (*open)(const char *where);
    void (*operation)(void);
};

_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

// dbus.c
void dbus_open(const char *address);
void dbus_ping(void);
void dbus_echo(void);
_Noreturn void dbus_serve(const char *address);

// tpm.c
void tpm_open(const char *configuration);
void tpm_random(void);

// pcsc.c
void pcsc_open(const char *socket);
void pcsc_list(void);
void pcsc_connect(const char *socket);
void pcsc_transaction(void);

// flock.c
void flock_open(const char *directory);
void flock_turn(void);

// activate.c
_Noreturn void socket_activate(const char *path, char **command);
