// A TPM command as bytes, through whichever TCTI is named: straight to the emulated TPM, or through tpm2-abrmd.
#include "peers.h"

#if __has_include(<tss2/tss2_tctildr.h>)

#include <stdint.h>
#include <string.h>
#include <tss2/tss2_tctildr.h>

static TSS2_TCTI_CONTEXT *tpm;

void tpm_open(const char *configuration) {
    TSS2_RC code = Tss2_TctiLdr_Initialize(configuration, &tpm);
    if (code)
        give_up("no TPM at %s: code 0x%x", configuration, code);
}

void tpm_random(void) {
    // TPM2_GetRandom without sessions: tag, size, command code, how many bytes.
    static const uint8_t command[] = {0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x7b, 0, 8};
    // Its answer: tag, size, response code, and 8 bytes behind their number.
    static const uint8_t success[] = {0x80, 0x01, 0, 0, 0, 20, 0, 0, 0, 0, 0, 8};
    uint8_t response[4096];
    size_t length = sizeof response;
    TSS2_RC code = Tss2_Tcti_Transmit(tpm, sizeof command, command);
    if (!code)
        code = Tss2_Tcti_Receive(tpm, &length, response, TSS2_TCTI_TIMEOUT_BLOCK);
    if (code)
        give_up("the TPM does not answer: code 0x%x", code);
    if (length != 20 || memcmp(response, success, sizeof success))
        give_up("the TPM refuses GetRandom");
}

#else

void tpm_open(const char *configuration) { give_up("built without libtss2-dev: cannot reach %s", configuration); }
void tpm_random(void) {}

#endif
