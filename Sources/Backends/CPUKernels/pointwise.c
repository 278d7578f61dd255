#include "internal.h"

// A thread's working memory has one tile per input (for inputs that aren't read in
// place) and one per register; UNIFORM writes up to 6 floats past the end of a tile.
enum { SLOT = CK_TILE + CK_PADDING, MAX_VALUES = 512 };
// The floats of the widest vector.
enum { WIDEST = 16 };

int64_t ck_workspace(const ck_program *program) {
    return (int64_t)(program->input_count + program->register_count) * SLOT;
}

static int64_t tile_rows(int64_t columns) { return columns >= CK_TILE ? 1 : CK_TILE / columns; }

// An input that repeats one row is expanded once rather than for each tile.
static bool is_repeated_row(const ck_view *view, int64_t columns) {
    return view->row == 0 && view->step == 0 && columns <= CK_TILE;
}

void ck_prepare(
    const struct ck_kernels *kernels, const ck_program *program, const ck_view *inputs, const float *scalars,
    int64_t columns, float *workspace) {
    for (int i = 0; i < program->input_count; i++) {
        if (is_repeated_row(&inputs[i], columns)) {
            kernels->load(workspace + i * SLOT, inputs[i].base, 0, inputs[i].column, tile_rows(columns), columns);
        }
    }
    for (int i = 0; i < program->prologue_count; i++) {
        const ck_instruction *in = &program->instructions[i];
        const float value = in->opcode == CK_SCALAR ? scalars[in->scalar] : in->constant;
        float *to = workspace + in->result * SLOT;
        for (int at = 0; at < CK_TILE; at++) to[at] = value;
    }
}

// A tile holds whole rows if they fit, otherwise a segment of one row.
void ck_run_tiles(
    const struct ck_kernels *kernels, const ck_program *program, const ck_view *inputs, const ck_view *outputs,
    int64_t step, const ck_key *key, int64_t row0, int64_t rows, int64_t columns, int64_t column0,
    int64_t total_columns, float *workspace) {
    float *values[MAX_VALUES];
    const int inputs_count = program->input_count;
    for (int i = 0; i < program->register_count; i++) values[inputs_count + i] = workspace + (inputs_count + i) * SLOT;
    const int64_t per_tile = tile_rows(columns);
    for (int64_t r = row0; r < row0 + rows; r += per_tile) {
        const int64_t count = r + per_tile <= row0 + rows ? per_tile : row0 + rows - r;
        for (int64_t c = 0; c < columns; c += CK_TILE) {
            const int64_t width = c + CK_TILE <= columns ? (columns < CK_TILE ? columns : CK_TILE) : columns - c;
            const int64_t n = count * width;
            // Whole vectors reach beyond the tile, into elements that another thread may be writing.
            const bool is_last = c + width == columns && (r + count == row0 + rows || columns < total_columns);
            const bool overreads = is_last && n % WIDEST != 0;
            for (int i = 0; i < inputs_count; i++) {
                const ck_view *view = &inputs[i];
                float *from = view->base + step * view->step + r * view->row + (column0 + c) * view->column;
                if (is_repeated_row(view, columns)) {
                    values[i] = workspace + i * SLOT;
                } else if (view->column == 1 && (view->row == width || count == 1) && !overreads) {
                    values[i] = from;
                } else {
                    values[i] = workspace + i * SLOT;
                    kernels->load(values[i], from, view->row, view->column, count, width);
                }
            }
            kernels->execute(
                program, values, n, key, r * total_columns + column0 + c, column0 + c, total_columns);
            for (int i = 0; i < program->output_count; i++) {
                const ck_view *view = &outputs[i];
                float *to = view->base + step * view->step + r * view->row + (column0 + c) * view->column;
                kernels->store(to, view->row, view->column, values[program->outputs[i]], count, width);
            }
        }
    }
}

void ck_run(
    const ck_team *team, const ck_program *program, const ck_view *inputs, const ck_view *outputs, const float *scalars, const ck_key *key,
    int64_t row0, int64_t rows, int64_t columns, int64_t column0, int64_t total_columns, float *workspace) {
    const struct ck_kernels *kernels = ck_team_kernels(team);
    ck_prepare(kernels, program, inputs, scalars, columns, workspace);
    ck_run_tiles(
        kernels, program, inputs, outputs, 0, key, row0, rows, columns, column0, total_columns, workspace);
}
