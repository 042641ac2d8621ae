/*
 * SPDX-License-Identifier: MIT
 * Copyright (c) 2026 The spschedd authors
 *
 * What the environment asks for. A variable that cannot be understood refuses launches instead of being guessed at.
 */
#define _GNU_SOURCE
#include "preload.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A VMM that meets the same trouble at each of a thousand pages says it a few times. */
enum { SENTENCES_MAX = 8 };
/* The daemon's own bounds of a launch. */
enum { PAGES_MAX = 262144, VCPUS_MAX = 4096 };

static struct settings ours;
static pthread_once_t once = PTHREAD_ONCE_INIT;

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(ours.problem, sizeof ours.problem, format, arguments);
    va_end(arguments);
}

/* The variable's value, or NULL if it is not set or empty. */
static const char *value_of(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static uint32_t number_of(const char *name, uint32_t most)
{
    const char *value = value_of(name);
    if (!value) return 0;
    char *end;
    errno = 0;
    unsigned long number = strtoul(value, &end, 10);
    if (errno || *end || *value < '0' || *value > '9' || number == 0 || number > most) {
        complain("%s is '%.40s': it is a whole number from 1 to %u", name, value, most);
        return 0;
    }
    return (uint32_t)number;
}

/* Whether the variable has the second of two values; the first is the default. */
static bool is_second(const char *name, const char *first, const char *second)
{
    const char *value = value_of(name);
    if (!value || strcmp(value, first) == 0) return false;
    if (strcmp(value, second) != 0) complain("%s is '%.40s': it is '%s' or '%s'", name, value, first, second);
    return true;
}

static void copy_text(char *out, size_t size, const char *name)
{
    const char *value = value_of(name);
    if (!value) return;
    if (strlen(value) >= size)
        complain("%s is longer than %zu bytes", name, size - 1);
    else
        strcpy(out, value);
}

static int hexadecimal(char digit)
{
    if (digit >= '0' && digit <= '9') return digit - '0';
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static void read_uuid(const char *name)
{
    const char *value = value_of(name);
    if (!value) return;
    unsigned digits = 0;
    const char *at = value;
    for (; *at && digits < 32; at++) {
        int digit = hexadecimal(*at);
        if (digit < 0 && *at == '-') continue;
        if (digit < 0) break;
        ours.uuid[digits / 2] = (uint8_t)(ours.uuid[digits / 2] << 4 | digit);
        digits++;
    }
    ours.has_uuid = digits == 32 && *at == '\0';
    if (!ours.has_uuid) complain("%s is '%.40s': it is 32 hexadecimal digits, with or without '-'", name, value);
}

static void read_environment(void)
{
    strcpy(ours.socket, SPSCHED_DEFAULT_PATH);
    copy_text(ours.socket, sizeof ours.socket, "SPSCHED_SOCKET");
    snprintf(ours.name, sizeof ours.name, "%s", program_invocation_short_name);
    copy_text(ours.name, sizeof ours.name, "SPSCHED_NAME");
    read_uuid("SPSCHED_UUID");
    ours.fails_closed = is_second("SPSCHED_FAILURE_MODE", "open", "closed");
    ours.connects_at_start = is_second("SPSCHED_CONNECT", "launch", "start");
    ours.pages = number_of("SPSCHED_PAGES", PAGES_MAX);
    ours.vcpus = number_of("SPSCHED_VCPUS", VCPUS_MAX);
}

const struct settings *settings(void)
{
    pthread_once(&once, read_environment);
    return &ours;
}

void say(const char *format, ...)
{
    static _Atomic unsigned said;
    if (atomic_fetch_add(&said, 1) >= SENTENCES_MAX) return;
    char line[SPSCHED_TEXT_MAX + 64] = "libspsched-preload: ";
    size_t used = strlen(line);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line + used, sizeof line - used - 1, format, arguments);
    va_end(arguments);
    strcat(line, "\n");
    ssize_t written = write(STDERR_FILENO, line, strlen(line));
    (void)written; /* whoever closed it wants to hear nothing */
}
