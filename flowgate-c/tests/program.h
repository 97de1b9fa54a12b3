/* What the C programs have in common: the included model, memory for it, and what they print. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include "../include/flowgate.h"
#include "platform.h"

#define INCLUDE(name, file)                                        \
    __asm__(".section .rodata\n"                                   \
            ".balign 16\n"                                         \
            ".global " #name "\n" #name ":\n"                      \
            ".incbin \"" file "\"\n"                               \
            ".global " #name "_end\n" #name "_end:\n"              \
            ".balign 4\n"                                          \
            ".previous\n");                                        \
    extern const uint8_t name[], name##_end[]

/* The included files are data: no program of theirs runs on the stack. */
__asm__(".section .note.GNU-stack,\"\",%progbits\n.previous\n");

INCLUDE(model, MODEL);

/* Memory for the largest committed model; a program of one model takes what flowgate_need() says. */
static _Alignas(FLOWGATE_ALIGNMENT) uint8_t memory[64 * 1024];

static void put_number(int64_t value) {
    char digits[24];
    char *at = digits + sizeof digits - 1;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    *at = '\0';
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0) *--at = '-';
    put(at);
}

static int failures;

static void expect(flowgate_status wanted, flowgate_status given, const char *what) {
    if (wanted == given) return;
    failures++;
    put("FAILED ");
    put(what);
    put(": ");
    put(flowgate_status_text(given));
    put("\n");
}

#endif
