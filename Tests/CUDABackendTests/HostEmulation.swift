/// Turns a kernel's text into C for the host: blocks and threads are loops. The
/// threads of a block that has barriers are fibers, which change at each barrier;
/// one that isn't reached by all threads alike is an error, as it would be a
/// deadlock or worse on a GPU.
enum HostEmulation {
    static func text(prelude: String, body: String, kernel: String) -> String {
        """
        #define HOST_EMULATION 1
        #include <math.h>
        #include <stdint.h>
        #include <stdlib.h>
        #include <string.h>
        #include <ucontext.h>
        typedef uint32_t uint32;
        typedef unsigned long long uint64;
        #define KERNEL static void
        #define DEVICE static inline
        #define SHARED static
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
        #define op_quotient(a, b) ((a) / (b))
        static inline float bits_to_float(uint32 bits) { float x; memcpy(&x, &bits, 4); return x; }
        \(prelude)
        \(body)

        enum { EMU_STACK = 1 << 16, EMU_MOST = 1024 };
        enum { EMU_READY, EMU_WAITING, EMU_DONE };
        static ucontext_t emu_scheduler, emu_fiber[EMU_MOST];
        static int emu_state[EMU_MOST];
        static const Arguments *emu_arguments;

        static void emu_barrier(void) {
            const uint32 me = emu_thread;
            emu_state[me] = EMU_WAITING;
            swapcontext(&emu_fiber[me], &emu_scheduler);
        }
        static void emu_run(void) {
            \(kernel)(*emu_arguments);
            emu_state[emu_thread] = EMU_DONE;
        }
        static int emu_run_block(char *stacks) {
            for (uint32 t = 0; t < emu_threads; t++) {
                getcontext(&emu_fiber[t]);
                emu_fiber[t].uc_stack.ss_sp = stacks + (size_t)t * EMU_STACK;
                emu_fiber[t].uc_stack.ss_size = EMU_STACK;
                emu_fiber[t].uc_link = &emu_scheduler;
                makecontext(&emu_fiber[t], emu_run, 0);
            }
            for (uint32 phase = 0;; phase++) {
                uint32 done = 0;
                for (uint32 i = 0; i < emu_threads; i++) {
                    // In another order after each barrier: nothing holds by luck.
                    const uint32 turned = (i + 13u * phase) % emu_threads, t = phase & 1u ? emu_threads - 1u - turned : turned;
                    emu_thread = t;
                    emu_state[t] = EMU_READY;
                    swapcontext(&emu_scheduler, &emu_fiber[t]);
                    done += emu_state[t] == EMU_DONE;
                }
                if (done == emu_threads) return 0;
                if (done > 0) return 1;
            }
        }
        int emu_launch(const void *arguments, uint32 blocks, uint32 blocks_y, uint32 threads, uint32 shared) {
            emu_arguments = arguments;
            emu_blocks = blocks;
            emu_blocks_y = blocks_y;
            emu_threads = threads;
            emu_shared = malloc(shared ? shared : 1);
            char *stacks = \(body.contains("BARRIER") ? "malloc((size_t)threads * EMU_STACK)" : "NULL");
            int failed = 0;
            for (emu_block_y = 0; emu_block_y < blocks_y; emu_block_y++) {
                for (emu_block = 0; emu_block < blocks; emu_block++) {
                    // What a block before left is garbage to the next one.
                    memset(emu_shared, 0xFF, shared);
                    if (stacks) {
                        failed |= emu_run_block(stacks);
                    } else {
                        for (emu_thread = 0; emu_thread < threads; emu_thread++) \(kernel)(*emu_arguments);
                    }
                }
            }
            free(stacks);
            free(emu_shared);
            return failed;
        }

        """
    }
}
