#ifdef WITH_MPI

#include "mpicalls.h"

#include <mpi.h>
#include <stdlib.h>

// MPI counts in int, so longer pieces are divided.
#define LONGEST ((size_t)1 << 30)

struct mpc_exchange {
    int ranks;
    // For each rank: whether anything is sent or received, and a type with the addresses.
    int *sent_counts, *received_counts, *zeros;
    MPI_Datatype *sent, *received;
};

int mpc_start(int *rank, int *size, int *local_rank, int *local_size) {
    int provided, code = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    if (code) return code;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    if ((code = MPI_Comm_rank(MPI_COMM_WORLD, rank))) return code;
    if ((code = MPI_Comm_size(MPI_COMM_WORLD, size))) return code;
    MPI_Comm local;
    if ((code = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, *rank, MPI_INFO_NULL, &local))) return code;
    MPI_Comm_rank(local, local_rank);
    MPI_Comm_size(local, local_size);
    return MPI_Comm_free(&local);
}

int mpc_finish(void) { return MPI_Finalize(); }
void mpc_abort(int status) { MPI_Abort(MPI_COMM_WORLD, status); }

const char *mpc_library(void) {
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length;
    if (MPI_Get_library_version(text, &length)) text[0] = 0;
    return text;
}

void mpc_explain(int code, char *text, int capacity) {
    char message[MPI_MAX_ERROR_STRING + 1];
    int length = 0;
    if (MPI_Error_string(code, message, &length)) length = 0;
    if (length >= capacity) length = capacity - 1;
    for (int i = 0; i < length; i++) text[i] = message[i];
    text[length] = 0;
}

// Makes a type of the bytes at the addresses of pieces.
static int make_type(const mpc_piece *pieces, int count, MPI_Datatype *type, int *is_used) {
    *type = MPI_BYTE;
    *is_used = 0;
    size_t blocks = 0;
    for (int i = 0; i < count; i++) blocks += (pieces[i].count + LONGEST - 1) / LONGEST;
    if (blocks == 0) return 0;
    int *lengths = malloc(blocks * sizeof *lengths);
    MPI_Aint *addresses = malloc(blocks * sizeof *addresses);
    int code = lengths && addresses ? 0 : MPI_ERR_NO_MEM, block = 0;
    for (int i = 0; i < count && !code; i++) {
        for (size_t start = 0; start < pieces[i].count; start += LONGEST, block++) {
            size_t left = pieces[i].count - start;
            lengths[block] = (int)(left < LONGEST ? left : LONGEST);
            if ((code = MPI_Get_address((char *)pieces[i].base + start, &addresses[block]))) break;
        }
    }
    if (!code) code = MPI_Type_create_hindexed(block, lengths, addresses, MPI_BYTE, type);
    if (!code) code = MPI_Type_commit(type);
    free(lengths);
    free(addresses);
    *is_used = !code;
    return code;
}

int mpc_exchange_make(int ranks, const mpc_piece *sent, const int *sent_counts, const mpc_piece *received,
                      const int *received_counts, mpc_exchange **result) {
    mpc_exchange *made = calloc(1, sizeof *made);
    if (!made) return MPI_ERR_NO_MEM;
    size_t count = (size_t)ranks;
    made->ranks = ranks;
    made->sent_counts = calloc(count, sizeof(int));
    made->received_counts = calloc(count, sizeof(int));
    made->zeros = calloc(count, sizeof(int));
    made->sent = calloc(count, sizeof(MPI_Datatype));
    made->received = calloc(count, sizeof(MPI_Datatype));
    int code = made->sent_counts && made->received_counts && made->zeros && made->sent && made->received
                   ? 0
                   : MPI_ERR_NO_MEM;
    for (int rank = 0; rank < ranks && !code; rank++) {
        code = make_type(sent, sent_counts[rank], &made->sent[rank], &made->sent_counts[rank]);
        sent += sent_counts[rank];
        if (code) break;
        code = make_type(received, received_counts[rank], &made->received[rank], &made->received_counts[rank]);
        received += received_counts[rank];
    }
    if (code) {
        mpc_exchange_free(made);
        return code;
    }
    *result = made;
    return 0;
}

int mpc_exchange_run(mpc_exchange *e) {
    return MPI_Alltoallw(MPI_BOTTOM, e->sent_counts, e->zeros, e->sent, MPI_BOTTOM, e->received_counts, e->zeros,
                         e->received, MPI_COMM_WORLD);
}

void mpc_exchange_free(mpc_exchange *e) {
    int is_finished = 0;
    MPI_Finalized(&is_finished);
    for (int rank = 0; rank < e->ranks && !is_finished; rank++) {
        if (e->sent_counts && e->sent_counts[rank]) MPI_Type_free(&e->sent[rank]);
        if (e->received_counts && e->received_counts[rank]) MPI_Type_free(&e->received[rank]);
    }
    free(e->sent_counts);
    free(e->received_counts);
    free(e->zeros);
    free(e->sent);
    free(e->received);
    free(e);
}

int mpc_gather_counts(int count, int *counts) {
    return MPI_Allgather(&count, 1, MPI_INT, counts, 1, MPI_INT, MPI_COMM_WORLD);
}

int mpc_gather(const void *bytes, int count, void *all, const int *counts, const int *starts) {
    return MPI_Allgatherv(bytes, count, MPI_BYTE, all, counts, starts, MPI_BYTE, MPI_COMM_WORLD);
}

#endif
