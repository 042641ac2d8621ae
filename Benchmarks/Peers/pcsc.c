// What a smart card client asks of pcscd: who is there, and the card for itself (a "transaction": pcscd's turn).
#define _GNU_SOURCE
#include "peers.h"

#if __has_include(<PCSC/winscard.h>)

#include <PCSC/winscard.h>
#include <stdlib.h>

static SCARDCONTEXT context;
static SCARDHANDLE card;

static void expect(LONG result, const char *what) {
    if (result != SCARD_S_SUCCESS)
        give_up("%s: %s", what, pcsc_stringify_error(result));
}

void pcsc_open(const char *socket) {
    setenv("PCSCLITE_CSOCK_NAME", socket, 1);
    expect(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), "pcscd does not answer");
}

void pcsc_list(void) {
    char names[4096];
    DWORD length = sizeof names;
    expect(SCardListReaders(context, NULL, names, &length), "SCardListReaders");
}

void pcsc_connect(const char *socket) {
    pcsc_open(socket);
    char names[4096];
    DWORD length = sizeof names, protocol;
    expect(SCardListReaders(context, NULL, names, &length), "pcscd has no reader");
    expect(SCardConnect(context, names, SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY, &card, &protocol), names);
}

void pcsc_transaction(void) {
    expect(SCardBeginTransaction(card), "SCardBeginTransaction");
    expect(SCardEndTransaction(card, SCARD_LEAVE_CARD), "SCardEndTransaction");
}

#else

void pcsc_open(const char *socket) { give_up("built without libpcsclite-dev: cannot reach %s", socket); }
void pcsc_list(void) {}
void pcsc_connect(const char *socket) { pcsc_open(socket); }
void pcsc_transaction(void) {}

#endif
