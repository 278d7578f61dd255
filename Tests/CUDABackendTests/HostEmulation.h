// Turns a kernel's text into C for the host: blocks and threads are loops. The
// threads of a block that has barriers are fibers, which switch at each barrier;
// a barrier that isn't reached by all threads is an error, since it would be a
// deadlock or worse on a GPU. Threads run alternately in ascending and descending
// order, so that a result is wrong if a necessary barrier is missing.
//
// In a cooperative launch all blocks are alive at once, each with its own fibers and
// dynamic shared memory, and switch at emu_grid_barrier in the same way. All blocks share
// SHARED variables, so a kernel that is started this way must have none.
//
// The kernel's text replaces the line with its name in capitals below. The caller
// also defines EMU_KERNEL, the kernel's name, and EMU_BARRIERS, 1 if it has any. The
// kernel's argument is a struct Arguments, by value.
#define HOST_EMULATION 1
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
typedef uint32_t uint32;
typedef unsigned long long uint64;
#define KERNEL static void
#define DEVICE static inline
#define CONSTANT static const
#define SHARED static __attribute__((section("emu_static_shared")))
#define DYNAMIC_SHARED(type, name) type *name = (type *)emu_shared
static uint32 emu_thread, emu_threads, emu_block, emu_block_y, emu_blocks, emu_blocks_y;
static char *emu_shared;
static void emu_barrier(void);
static void emu_grid_barrier(void);
#define THREAD emu_thread
#define THREADS emu_threads
#define BLOCK emu_block
#define BLOCK_Y emu_block_y
#define BLOCKS emu_blocks
#define BLOCKS_Y emu_blocks_y
#define BARRIER() emu_barrier()
static inline float bits_to_float(uint32 bits) { float x; memcpy(&x, &bits, 4); return x; }
static inline uint32 float_to_bits(float x) { uint32 bits; memcpy(&bits, &x, 4); return bits; }

THE KERNEL'S TEXT

enum { EMU_STACK = 1 << 16 };
enum { EMU_READY, EMU_WAITING, EMU_WAITING_FOR_ALL, EMU_DONE };
// The threads of all live blocks; those of the current block begin at emu_first.
static int *emu_state;
static uint32 emu_first;
static const Arguments *emu_arguments;

static void emu_run(void);
#ifdef __x86_64__
// Pushes the callee-saved registers, changes the stack, and pops the other fiber's:
// swapcontext would also make a system call for the signal mask each time.
void emu_switch(void **from, void *to) __attribute__((visibility("hidden")));
__asm__(
    ".text\n.hidden emu_switch\n.globl emu_switch\n.type emu_switch, @function\nemu_switch:\n"
    "pushq %rbp\npushq %rbx\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
    "movq %rsp, (%rdi)\nmovq %rsi, %rsp\n"
    "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbx\npopq %rbp\nret\n"
    ".size emu_switch, . - emu_switch\n");
static void *emu_scheduler, **emu_fiber;
static void emu_prepare(uint32 t, char *stack) {
    // Six registers, the return address, and the alignment that a function expects.
    void **top = (void **)(((uintptr_t)stack + EMU_STACK) & ~(uintptr_t)15) - 2;
    *top = (void *)emu_run;
    emu_fiber[t] = top - 6;
}
static void emu_enter(uint32 t) { emu_switch(&emu_scheduler, emu_fiber[t]); }
static void emu_leave(uint32 t) { emu_switch(&emu_fiber[t], emu_scheduler); }
#else
#include <ucontext.h>
static ucontext_t emu_scheduler, *emu_fiber;
static void emu_prepare(uint32 t, char *stack) {
    getcontext(&emu_fiber[t]);
    emu_fiber[t].uc_stack.ss_sp = stack;
    emu_fiber[t].uc_stack.ss_size = EMU_STACK;
    makecontext(&emu_fiber[t], emu_run, 0);
}
static void emu_enter(uint32 t) { swapcontext(&emu_scheduler, &emu_fiber[t]); }
static void emu_leave(uint32 t) { swapcontext(&emu_fiber[t], &emu_scheduler); }
#endif

static void emu_wait(int state) {
    const uint32 me = emu_first + emu_thread;
    emu_state[me] = state;
    emu_leave(me);
}
static void emu_barrier(void) { emu_wait(EMU_WAITING); }
static void emu_grid_barrier(void) { emu_wait(EMU_WAITING_FOR_ALL); }
static void emu_run(void) {
    EMU_KERNEL(*emu_arguments);
    emu_wait(EMU_DONE);
    abort();
}
// Runs until all threads of the block have ended or wait for other blocks; returns that
// state, or EMU_READY if they differ.
static int emu_run_block(void) {
    static int down;
    for (;;) {
        for (uint32 i = 0; i < emu_threads; i++) {
            emu_thread = down ? emu_threads - 1 - i : i;
            emu_enter(emu_first + emu_thread);
        }
        down = !down;
        const int state = emu_state[emu_first];
        for (uint32 t = 1; t < emu_threads; t++) if (emu_state[emu_first + t] != state) return EMU_READY;
        if (state != EMU_WAITING) return state;
    }
}
static void emu_prepare_blocks(char *stacks, uint32 blocks) {
    const size_t count = (size_t)blocks * emu_threads;
    emu_state = realloc(emu_state, count * sizeof *emu_state);
    emu_fiber = realloc(emu_fiber, count * sizeof *emu_fiber);
    for (size_t t = 0; t < count; t++) emu_prepare(t, stacks + t * EMU_STACK);
}

// The section of SHARED variables; its bounds are NULL if there are none.
extern char __start_emu_static_shared[] __attribute__((weak, visibility("hidden")));
extern char __stop_emu_static_shared[] __attribute__((weak, visibility("hidden")));
size_t emu_static_shared_bytes(void) { return __stop_emu_static_shared - __start_emu_static_shared; }
size_t emu_argument_bytes(void) { return sizeof(Arguments); }
void emu_place(uint32 *block, uint32 *block_y, uint32 *thread) {
    *block = emu_block;
    *block_y = emu_block_y;
    *thread = emu_thread;
}

// The memory for stacks and dynamic shared memory; allocated for each launch if NULL.
char *emu_own_stacks, *emu_own_shared;

// Returns non-zero if some threads of a block don't reach a barrier. Every other launch runs
// the blocks from the last to the first, since none may depend on another.
int emu_launch(const void *arguments, uint32 blocks, uint32 blocks_y, uint32 threads, uint32 shared) {
    emu_arguments = arguments;
    emu_blocks = blocks;
    emu_blocks_y = blocks_y;
    emu_threads = threads;
    emu_shared = emu_own_shared ? emu_own_shared : malloc(shared ? shared : 1);
    char *stacks = emu_own_stacks ? emu_own_stacks : EMU_BARRIERS ? malloc((size_t)threads * EMU_STACK) : NULL;
    int failed = 0;
    static int down = 0;
    for (uint32 i = 0; i < blocks * blocks_y; i++) {
        const uint32 number = down ? blocks * blocks_y - 1 - i : i;
        emu_block = number % blocks;
        emu_block_y = number / blocks;
        // A block must not rely on what an earlier block left.
        memset(emu_shared, 0xFF, shared);
        if (emu_static_shared_bytes()) memset(__start_emu_static_shared, 0xFF, emu_static_shared_bytes());
        if (EMU_BARRIERS) {
            emu_prepare_blocks(stacks, 1);
            failed |= emu_run_block() != EMU_DONE;
        } else {
            for (emu_thread = 0; emu_thread < threads; emu_thread++) EMU_KERNEL(*emu_arguments);
        }
    }
    down = !down;
    if (!emu_own_stacks) free(stacks);
    if (!emu_own_shared) free(emu_shared);
    return failed;
}

// Launches all blocks at once, with stacks and shared memory allocated here. Also returns 2 if
// a block writes past its shared memory, and 3 if the kernel has SHARED variables.
int emu_launch_cooperative(const void *arguments, uint32 blocks, uint32 blocks_y, uint32 threads, uint32 shared) {
    if (emu_static_shared_bytes()) return 3;
    enum { GUARD = 64 };
    const uint32 count = blocks * blocks_y;
    const size_t each = (shared + 15) / 16 * 16 + GUARD;
    emu_arguments = arguments;
    emu_blocks = blocks;
    emu_blocks_y = blocks_y;
    emu_threads = threads;
    char *memory = aligned_alloc(64, (count * each + 63) / 64 * 64), *stacks = malloc((size_t)count * threads * EMU_STACK);
    int failed = 0;
    memset(memory, 0xFF, count * each);
    emu_prepare_blocks(stacks, count);
    for (int down = 0;; down = !down) {
        uint32 done = 0;
        for (uint32 i = 0; i < count && !failed; i++) {
            const uint32 b = down ? count - 1 - i : i;
            emu_block = b % blocks;
            emu_block_y = b / blocks;
            emu_first = b * threads;
            emu_shared = memory + b * each;
            const int state = emu_run_block();
            failed = state == EMU_READY;
            done += state == EMU_DONE;
        }
        // Blocks must not wait for a block that has ended.
        if (failed || done > 0) {
            failed |= done < count;
            break;
        }
    }
    for (uint32 b = 0; b < count && !failed; b++) {
        for (uint32 i = 0; i < GUARD; i++) if ((unsigned char)memory[b * each + (each - GUARD) + i] != 0xFF) failed = 2;
    }
    emu_first = 0;
    free(stacks);
    free(memory);
    return failed;
}
