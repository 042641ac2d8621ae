// A reader for pcscd, loaded into it, with a card that is always there and does nothing: pcscd grants transactions on
// cards only. What is measured is then pcscd itself.
#include <PCSC/ifdhandler.h>
#include <string.h>

// The shortest answer to reset that is valid: direct convention, T=0, nothing more.
static const UCHAR answer_to_reset[] = {0x3b, 0x00};

RESPONSECODE IFDHCreateChannelByName(DWORD reader, LPSTR device) {
    (void)reader, (void)device;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCreateChannel(DWORD reader, DWORD channel) {
    (void)reader, (void)channel;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHCloseChannel(DWORD reader) {
    (void)reader;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHGetCapabilities(DWORD reader, DWORD tag, PDWORD length, PUCHAR value) {
    (void)reader;
    switch (tag) {
    case TAG_IFD_ATR:
        if (*length < sizeof answer_to_reset)
            return IFD_ERROR_INSUFFICIENT_BUFFER;
        memcpy(value, answer_to_reset, sizeof answer_to_reset);
        *length = sizeof answer_to_reset;
        return IFD_SUCCESS;
    case TAG_IFD_SLOTS_NUMBER:
        *value = 1;
        *length = 1;
        return IFD_SUCCESS;
    default:
        return IFD_ERROR_TAG;
    }
}

RESPONSECODE IFDHSetCapabilities(DWORD reader, DWORD tag, DWORD length, PUCHAR value) {
    (void)reader, (void)tag, (void)length, (void)value;
    return IFD_NOT_SUPPORTED;
}

RESPONSECODE IFDHSetProtocolParameters(
    DWORD reader, DWORD protocol, UCHAR flags, UCHAR first, UCHAR second, UCHAR third) {
    (void)reader, (void)protocol, (void)flags, (void)first, (void)second, (void)third;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHPowerICC(DWORD reader, DWORD action, PUCHAR answer, PDWORD length) {
    (void)reader;
    *length = 0;
    if (action == IFD_POWER_DOWN)
        return IFD_SUCCESS;
    memcpy(answer, answer_to_reset, sizeof answer_to_reset);
    *length = sizeof answer_to_reset;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHTransmitToICC(DWORD reader, SCARD_IO_HEADER sent, PUCHAR command, DWORD command_length,
    PUCHAR response, PDWORD response_length, PSCARD_IO_HEADER received) {
    (void)reader, (void)sent, (void)command, (void)command_length, (void)response, (void)received;
    *response_length = 0;
    return IFD_SUCCESS;
}

RESPONSECODE IFDHControl(
    DWORD reader, DWORD code, PUCHAR sent, DWORD sent_length, PUCHAR received, DWORD received_length, LPDWORD length) {
    (void)reader, (void)code, (void)sent, (void)sent_length, (void)received, (void)received_length;
    *length = 0;
    return IFD_ERROR_NOT_SUPPORTED;
}

RESPONSECODE IFDHICCPresence(DWORD reader) {
    (void)reader;
    return IFD_ICC_PRESENT;
}
