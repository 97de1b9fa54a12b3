/* Hides what came after AVX2 from a process and all that it starts: AVX-512, AVX-VNNI, AMX.
 *
 * Loaded before anything else (LD_PRELOAD), it has the kernel refuse the instruction CPUID (arch_prctl, where the
 * processor can) and answers in its place, less these features. Threads and children take the refusal over; programs
 * that are started begin without it, and load this again. What asked before, the C library itself, keeps its answer:
 * its copying and clearing of memory.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <cpuid.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Leaf 7.0: AVX-512 F, DQ, IFMA, PF, ER, CD, BW, VL; VBMI, VBMI2, VNNI, BITALG, VPOPCNTDQ; 4VNNIW, 4FMAPS,
 * VP2INTERSECT, AMX-BF16, FP16, AMX-TILE, AMX-INT8. */
#define EBX_7_0 (1u << 16 | 1u << 17 | 1u << 21 | 1u << 26 | 1u << 27 | 1u << 28 | 1u << 30 | 1u << 31)
#define ECX_7_0 (1u << 1 | 1u << 6 | 1u << 11 | 1u << 12 | 1u << 14)
#define EDX_7_0 (1u << 2 | 1u << 3 | 1u << 8 | 1u << 22 | 1u << 23 | 1u << 24 | 1u << 25)
/* Leaf 7.1: AVX-VNNI, AVX512-BF16, AMX-FP16, AVX-IFMA; AVX-VNNI-INT8, AVX-NE-CONVERT, AVX-VNNI-INT16, AVX10. */
#define EAX_7_1 (1u << 4 | 1u << 5 | 1u << 21 | 1u << 23)
#define EDX_7_1 (1u << 4 | 1u << 5 | 1u << 10 | 1u << 19)

static long allow_cpuid(unsigned long allowed)
{
    return syscall(SYS_arch_prctl, ARCH_SET_CPUID, allowed);
}

static void answer(int number, siginfo_t *info, void *context)
{
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    static const unsigned char cpuid[] = {0x0F, 0xA2};
    (void)info;
    if (memcmp((const void *)registers[REG_RIP], cpuid, sizeof cpuid) != 0) {
        signal(number, SIG_DFL); /* another fault, which comes again */
        return;
    }
    unsigned leaf = (unsigned)registers[REG_RAX], part = (unsigned)registers[REG_RCX];
    unsigned a, b, c, d;
    allow_cpuid(1);
    __cpuid_count(leaf, part, a, b, c, d);
    allow_cpuid(0);
    if (leaf == 7 && part == 0) {
        b &= ~EBX_7_0;
        c &= ~ECX_7_0;
        d &= ~EDX_7_0;
    } else if (leaf == 7 && part == 1) {
        a &= ~EAX_7_1;
        d &= ~EDX_7_1;
    }
    registers[REG_RAX] = a;
    registers[REG_RBX] = b;
    registers[REG_RCX] = c;
    registers[REG_RDX] = d;
    registers[REG_RIP] += sizeof cpuid;
}

__attribute__((constructor)) static void hide(void)
{
    struct sigaction action = {.sa_sigaction = answer, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGSEGV, &action, NULL);
    if (allow_cpuid(0) != 0) {
        perror("this processor or kernel cannot refuse CPUID");
    }
}
