// Checks of CPUKernels against plain loops in double, as one program that needs nothing but C's libraries:
// scripts/check-arm64 builds it for this machine and for arm64.
#ifndef CHECKS_H
#define CHECKS_H

#include "internal.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/// An instruction set of this processor, and teams of one and of three threads that use it.
typedef struct {
    const char *name;
    const struct ck_kernels *kernels;
    ck_team *teams[2];
} checked_set;
extern checked_set sets[4];
extern int set_count;

/// Counts a check. If it doesn't hold, prints its name and ends the program.
void check(bool holds, const char *name, ...) __attribute__((format(printf, 2, 3)));

// MARK: Memory, which `release` frees

/// What kernels must leave as it is.
extern const float untouched;
/// The floats behind an array that kernels may read, but must not use or write.
enum { PAD = CK_PADDING };

float *filled(int64_t count, float value);
double *zeros(int64_t count);
/// [rows, columns] of uniform numbers in (-1, 1) with NaN in the rest of each row of ld, and behind them.
float *matrix(int64_t rows, int64_t columns, int64_t ld);
/// [rows, columns] of `value` with `untouched` in the rest of each row of ld, and behind them.
float *output(int64_t rows, int64_t columns, int64_t ld, float value);
/// Working memory of exactly `count` floats with `untouched` behind them.
float *scratch(int64_t count);
bool is_scratch_kept(const float *memory, int64_t count);
void release(void);

/// A whole number in 0 ..< bound, from a fixed sequence.
int64_t draw(int64_t bound);

// MARK: Expected results

/// Matrices [rows, columns] of exact values and of the magnitudes that rounding errors are proportional to.
typedef struct {
    int64_t rows, columns, terms;
    double *value, *magnitude;
} expected;
expected expect(int64_t rows, int64_t columns, int64_t terms);
/// alpha · op(A) op(B) + beta · C (+ bias).
expected expect_product(const ck_product *product);
/// Whether c has these values, up to what rounding `terms` sums may change, and is untouched elsewhere.
bool agrees(const float *c, int64_t ld, const expected *e);
bool is_same(const float *a, const float *b, int64_t count);

/// The uniform number of an element, by Philox as its authors write it.
float plain_uniform(int64_t element, const ck_key *key);

// MARK: Programs

typedef struct {
    ck_program program;
    ck_instruction code[40];
    int32_t outputs[8];
} builder;
/// Adds an instruction with a register of its own, and returns the number of its result.
int32_t emit(builder *b, ck_opcode opcode, int32_t x, int32_t y, int32_t z);
/// Adds a constant; they come first.
int32_t emit_constant(builder *b, float value);
void emit_output(builder *b, int32_t value);
/// The program, whose pointers are valid as long as the builder is.
const ck_program *finish(builder *b);

// MARK: Topics

void check_dispatch(void);
void check_threads(void);
void check_products(void);
void check_prepared(void);
void check_opcodes(void);
void check_programs(void);
void check_uniform(void);
void check_rows(void);
void check_cross_entropy(void);
void check_recurrence(void);

#endif
