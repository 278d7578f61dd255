// The calls of MPI that MPICommunicator needs. MPI's handles are macros that differ from one implementation to the next,
// so Swift sees only these functions. Without the trait MPI, this target is empty.
#ifndef MPICALLS_H
#define MPICALLS_H

#include <stddef.h>

// A place in memory.
typedef struct {
    void *base;
    size_t count;
} mpc_piece;

typedef struct mpc_exchange mpc_exchange;

// All functions return 0, or an error code of MPI.

// Starts MPI, whose errors are then returned instead of ending the program.
int mpc_start(int *rank, int *size, int *local_rank, int *local_size);
// Ends MPI, after which no other function may be called.
int mpc_finish(void);
// Ends all processes.
void mpc_abort(int status);
// The name and the version of the library; it lasts as long as the program.
const char *mpc_library(void);
// Writes what an error code means, ending with a zero byte.
void mpc_explain(int code, char *text, int capacity);

// Prepares an exchange between `ranks` processes: rank i gets the first sent_counts[i] pieces of what is left of
// `sent`, and its bytes go into the first received_counts[i] pieces of what is left of `received`.
int mpc_exchange_make(int ranks, const mpc_piece *sent, const int *sent_counts, const mpc_piece *received,
                      const int *received_counts, mpc_exchange **result);
int mpc_exchange_run(mpc_exchange *exchange);
void mpc_exchange_free(mpc_exchange *exchange);

// Gives every rank the count of all.
int mpc_gather_counts(int count, int *counts);
// Gives every rank the bytes of all, one after another.
int mpc_gather(const void *bytes, int count, void *all, const int *counts, const int *starts);

#endif
