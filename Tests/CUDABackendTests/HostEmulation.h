// Turns a kernel's text into C for the host: blocks and threads are loops. The
// threads of a block that has barriers are fibers, which change at each barrier;
// one that isn't reached by all threads alike is an error, as it would be a
// deadlock or worse on a GPU. Threads take turns upwards and downwards by turns,
// so that a result that needs a barrier where none is comes out wrong.
//
// The kernel's text takes the place of the line with its name in capitals below.
// Around it the caller defines EMU_KERNEL, the kernel's name, and EMU_BARRIERS,
// 1 if it has any. Its argument is a struct Arguments, by value.
#define HOST_EMULATION 1
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
typedef uint32_t uint32;
typedef unsigned long long uint64;
#define KERNEL static void
#define DEVICE static inline
#define SHARED static __attribute__((section("emu_static_shared")))
#define DYNAMIC_SHARED(type, name) type *name = (type *)emu_shared
static uint32 emu_thread, emu_threads, emu_block, emu_block_y, emu_blocks, emu_blocks_y;
static char *emu_shared;
static void emu_barrier(void);
#define THREAD emu_thread
#define THREADS emu_threads
#define BLOCK emu_block
#define BLOCK_Y emu_block_y
#define BLOCKS emu_blocks
#define BLOCKS_Y emu_blocks_y
#define BARRIER() emu_barrier()
static inline float bits_to_float(uint32 bits) { float x; memcpy(&x, &bits, 4); return x; }

THE KERNEL'S TEXT

enum { EMU_STACK = 1 << 16, EMU_MOST = 1024 };
enum { EMU_READY, EMU_WAITING, EMU_DONE };
static int emu_state[EMU_MOST];
static const Arguments *emu_arguments;

static void emu_run(void);
#ifdef __x86_64__
// What a function must keep is pushed, the stack changed, and the other's popped:
// swapcontext would also ask the system for the signals, each time.
void emu_switch(void **from, void *to) __attribute__((visibility("hidden")));
__asm__(
    ".text\n.hidden emu_switch\n.globl emu_switch\n.type emu_switch, @function\nemu_switch:\n"
    "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
    "movq %rsp, (%rdi)\nmovq %rsi, %rsp\n"
    "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n"
    ".size emu_switch, . - emu_switch\n");
static void *emu_scheduler, *emu_fiber[EMU_MOST];
static void emu_prepare(uint32 t, char *stack) {
    // Six registers, where to go on, and the alignment that a function finds.
    void **top = (void **)(((uintptr_t)stack + EMU_STACK) & ~(uintptr_t)15) - 2;
    *top = (void *)emu_run;
    emu_fiber[t] = top - 6;
}
static void emu_enter(uint32 t) { emu_switch(&emu_scheduler, emu_fiber[t]); }
static void emu_leave(uint32 t) { emu_switch(&emu_fiber[t], emu_scheduler); }
#else
#include <ucontext.h>
static ucontext_t emu_scheduler, emu_fiber[EMU_MOST];
static void emu_prepare(uint32 t, char *stack) {
    getcontext(&emu_fiber[t]);
    emu_fiber[t].uc_stack.ss_sp = stack;
    emu_fiber[t].uc_stack.ss_size = EMU_STACK;
    makecontext(&emu_fiber[t], emu_run, 0);
}
static void emu_enter(uint32 t) { swapcontext(&emu_scheduler, &emu_fiber[t]); }
static void emu_leave(uint32 t) { swapcontext(&emu_fiber[t], &emu_scheduler); }
#endif

static void emu_barrier(void) {
    const uint32 me = emu_thread;
    emu_state[me] = EMU_WAITING;
    emu_leave(me);
}
static void emu_run(void) {
    EMU_KERNEL(*emu_arguments);
    const uint32 me = emu_thread;
    emu_state[me] = EMU_DONE;
    emu_leave(me);
    abort();
}
static int emu_run_block(char *stacks) {
    for (uint32 t = 0; t < emu_threads; t++) emu_prepare(t, stacks + (size_t)t * EMU_STACK);
    for (int down = 0;; down = !down) {
        uint32 done = 0;
        for (uint32 i = 0; i < emu_threads; i++) {
            const uint32 t = down ? emu_threads - 1 - i : i;
            emu_thread = t;
            emu_state[t] = EMU_READY;
            emu_enter(t);
            done += emu_state[t] == EMU_DONE;
        }
        if (done == emu_threads) return 0;
        if (done > 0) return 1;
    }
}

// Where SHARED variables lie; nowhere if there are none.
extern char __start_emu_static_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_emu_static_shared[] __attribute__((weak, visibility("hidden")));
size_t emu_static_shared_bytes(void) { return __stop_emu_static_shared - __start_emu_static_shared; }
size_t emu_argument_bytes(void) { return sizeof(Arguments); }
void emu_place(uint32 *block, uint32 *block_y, uint32 *thread) {
    *block = emu_block;
    *block_y = emu_block_y;
    *thread = emu_thread;
}

// Where stacks and dynamic shared memory lie; made for each launch if they are NULL.
char *emu_own_stacks, *emu_own_shared;

// Non-zero if some threads of a block don't reach a barrier.
int emu_launch(const void *arguments, uint32 blocks, uint32 blocks_y, uint32 threads, uint32 shared) {
    emu_arguments = arguments;
    emu_blocks = blocks;
    emu_blocks_y = blocks_y;
    emu_threads = threads;
    emu_shared = emu_own_shared ? emu_own_shared : malloc(shared ? shared : 1);
    char *stacks = emu_own_stacks ? emu_own_stacks : EMU_BARRIERS ? malloc((size_t)threads * EMU_STACK) : NULL;
    int failed = 0;
    for (emu_block_y = 0; emu_block_y < blocks_y; emu_block_y++) {
        for (emu_block = 0; emu_block < blocks; emu_block++) {
            // What a block before left is garbage to the next one.
            memset(emu_shared, 0xFF, shared);
            if (emu_static_shared_bytes()) memset(__start_emu_static_shared, 0xFF, emu_static_shared_bytes());
            if (EMU_BARRIERS) {
                failed |= emu_run_block(stacks);
            } else {
                for (emu_thread = 0; emu_thread < threads; emu_thread++) EMU_KERNEL(*emu_arguments);
            }
        }
    }
    if (!emu_own_stacks) free(stacks);
    if (!emu_own_shared) free(emu_shared);
    return failed;
}
