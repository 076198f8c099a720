// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Matrix-vector-threshold unit whose weights are pruned in blocks that keep rows and columns: PE kept rows and SIMD kept
// columns a cycle.
//
// Lane s holds the columns whose remainder by SIMD is s, in banks of ACROSS * BLOCK words; PE p adds up the rows whose
// remainder by PE is p. Row of blocks by row of blocks, and in it block by block, each PE takes the COL_STEPS kept
// columns of the block for its first kept row, then for its second, and so on, ROW_STEPS times. The next pixel arrives,
// and the sums of the row of blocks before leave, while this one is computed.
`default_nettype none

module finnp_mvau_rc #(
    parameter int unsigned PE = 1,
    parameter int unsigned SIMD = 1,
    /// Rows of blocks, and blocks in each of them.
    parameter int unsigned DOWN = 1,
    parameter int unsigned ACROSS = 1,
    /// Words of a bank in a block, and sums of a PE in a row of blocks.
    parameter int unsigned BLOCK = 2,
    parameter int unsigned RESULTS = 1,
    /// Rows of a PE and columns of a lane that a block keeps.
    parameter int unsigned ROW_STEPS = 1,
    parameter int unsigned COL_STEPS = 1,
    /// Bits of a column's place in its block, and of a row's.
    parameter int unsigned INDEX_BITS = 1,
    parameter int unsigned ROW_BITS = 1,
    /// 1 where a sum may be added to in two steps that follow each other, else 0.
    parameter int unsigned FORWARD = 1,
    parameter int unsigned X_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned X_KIND = 0,
    parameter int unsigned W_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar, 3 ternary.
    parameter int unsigned W_KIND = 1,
    /// Rows that one DSP slice multiplies at once; 0: look-up tables multiply.
    parameter int unsigned PACKED = 0,
    parameter int unsigned ACC_BITS = 8,
    parameter int unsigned LEVELS = 0,
    parameter int unsigned THRESHOLD_BITS = 1,
    parameter int BASE = 0,
    parameter int STEP = 1,
    parameter int unsigned OUT_BITS = 8,
    parameter int unsigned OUT_KIND = 1,
    parameter int unsigned DEPTH = 2,
    parameter WEIGHTS = "",
    parameter INDEX = "",
    parameter ROW_INDEX = "",
    parameter THRESHOLDS = "",
    parameter FLIP = ""
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   in_valid,
    output wire                   in_ready,
    input  wire [SIMD*X_BITS-1:0] in_data,
    output wire                   out_valid,
    input  wire                   out_ready,
    output wire [PE*OUT_BITS-1:0] out_data
);
    localparam int unsigned WORD_BITS = SIMD * X_BITS;
    // Cycles from what is multiplied to the sum of its products.
    localparam int unsigned TREE = (unsigned'($clog2(SIMD)) + 1) / 2 + (PACKED != 0 ? 4 : 0);

    // A bank holds two pixels, the second one from a power of two on.
    localparam int unsigned HALF = 1 << unsigned'($clog2(ACROSS * BLOCK));
    localparam int unsigned PLACES = HALF + ACROSS * BLOCK;
    localparam int unsigned AT_BITS = unsigned'($clog2(PLACES));

    // The engine that takes words. What one engine does in a cycle, the others see in the next.
    logic [1:0] ahead;
    assign in_ready = !ahead[1];
    wire take = in_valid && in_ready;
    wire [(ACROSS * BLOCK > 1 ? $clog2(ACROSS * BLOCK) : 1)-1:0] taken;
    wire taken_last;
    finnp_counter #(.COUNT(ACROSS * BLOCK)) taken_counter (.clk, .rst, .step(take), .at(taken), .last(taken_last));

    // The engine that computes: column steps in row steps, these in blocks, these in a row of blocks.
    logic begins;
    logic [1:0] complete;
    wire step = ahead != 0 && !(begins && complete[1]);
    wire column_last, row_last, block_last, down_last;
    wire [(COL_STEPS > 1 ? $clog2(COL_STEPS) : 1)-1:0] column_step;
    wire [(ROW_STEPS > 1 ? $clog2(ROW_STEPS) : 1)-1:0] row_step;
    wire [(ACROSS > 1 ? $clog2(ACROSS) : 1)-1:0] block;
    wire [(DOWN > 1 ? $clog2(DOWN) : 1)-1:0] down;
    wire row_done = step && column_last;
    wire block_done = row_done && row_last;
    wire completes = block_done && block_last;
    wire done = completes && down_last;
    finnp_counter #(.COUNT(COL_STEPS)) column_counter (.clk, .rst, .step, .at(column_step), .last(column_last));
    finnp_counter #(.COUNT(ROW_STEPS)) row_counter (.clk, .rst, .step(row_done), .at(row_step), .last(row_last));
    finnp_counter #(.COUNT(ACROSS)) block_counter (.clk, .rst, .step(block_done), .at(block), .last(block_last));
    finnp_counter #(.COUNT(DOWN)) down_counter (.clk, .rst, .step(completes), .at(down), .last(down_last));

    // The engine that makes words of complete sums.
    wire room;
    wire leave = complete != 0 && room;
    wire [(RESULTS > 1 ? $clog2(RESULTS) : 1)-1:0] result;
    wire result_last;
    finnp_counter #(.COUNT(RESULTS)) result_counter (.clk, .rst, .step(leave), .at(result), .last(result_last));

    logic write_second, read_second;
    logic [AT_BITS-1:0] first;
    wire arrives = take && taken_last;
    wire left = leave && result_last;
    always_ff @(posedge clk) begin
        if (arrives) write_second <= !write_second;
        if (done) read_second <= !read_second;
        if (arrives != done) ahead <= arrives ? ahead + 1'b1 : ahead - 1'b1;
        if (completes != left) complete <= completes ? complete + 1'b1 : complete - 1'b1;
        if (step) begins <= completes;
        // The first word of the present block.
        if (block_done) first <= block_last ? '0 : first + AT_BITS'(BLOCK);
        if (rst) begin
            write_second <= 1'b0;
            read_second <= 1'b0;
            ahead <= '0;
            complete <= '0;
            begins <= 1'b1;
            first <= '0;
        end
    end

    // Indices are there two cycles after their step, the words that they name three. All rows of a block share them.
    wire [SIMD*INDEX_BITS-1:0] index;
    finnp_lists #(
        .WIDTH(SIMD * INDEX_BITS), .STEPS(COL_STEPS), .FOLDS(DOWN * ACROSS * ROW_STEPS), .SHARING(ROW_STEPS),
        .FILE(INDEX)
    ) lists (.clk, .rst, .step, .last(column_last), .done, .index);

    // Banks are read two cycles after the step, so they are written two cycles after words are taken.
    wire [AT_BITS-1:0] base, bank_at;
    wire write;
    wire [WORD_BITS-1:0] bank_word;
    finnp_delay #(.WIDTH(AT_BITS), .CYCLES(2)) base_delay (
        .clk, .rst, .in((read_second ? AT_BITS'(HALF) : '0) | first), .out(base)
    );
    finnp_delay #(.CYCLES(2), .CLEARED(1'b1)) write_delay (.clk, .rst, .in(take), .out(write));
    finnp_delay #(.WIDTH(AT_BITS + WORD_BITS), .CYCLES(2)) word_delay (
        .clk, .rst, .in({(write_second ? AT_BITS'(HALF) : '0) | AT_BITS'(taken), in_data}), .out({bank_at, bank_word})
    );
    wire [SIMD*AT_BITS-1:0] kept_at;
    for (genvar s = 0; s < SIMD; s++) begin : g_lane
        assign kept_at[s*AT_BITS+:AT_BITS] = base + AT_BITS'(index[s*INDEX_BITS+:INDEX_BITS]);
    end
    wire [WORD_BITS-1:0] kept;
    finnp_banks #(.BANKS(SIMD), .WIDTH(X_BITS), .WORDS(PLACES), .AT_BITS(AT_BITS)) banks (
        .clk, .write, .write_at(bank_at), .write_data(bank_word), .read_at(kept_at), .read_data(kept)
    );

    localparam int unsigned LINES = DOWN * ACROSS * ROW_STEPS * COL_STEPS;
    localparam int unsigned LINE_BITS = LINES > 1 ? unsigned'($clog2(LINES)) : 1;
    wire [LINE_BITS-1:0] line, weights_at;
    wire line_last;
    finnp_counter #(.COUNT(LINES)) line_counter (.clk, .rst, .step, .at(line), .last(line_last));
    finnp_delay #(.WIDTH(LINE_BITS), .CYCLES(1)) line_delay (.clk, .rst, .in(line), .out(weights_at));
    wire [PE*SIMD*W_BITS-1:0] weights;
    finnp_rom #(.WIDTH(PE * SIMD * W_BITS), .WORDS(LINES), .FILE(WEIGHTS)) weight_rom (
        .clk, .at(weights_at), .data(weights)
    );

    // What the kept columns of a block are for a row, one after the other.
    wire [1:0] marks;
    wire summed;
    wire [PE*ACC_BITS-1:0] rows;
    finnp_delay #(.WIDTH(2), .CYCLES(3), .CLEARED(1'b1)) mark_delay (.clk, .rst, .in({row_done, step}), .out(marks));
    finnp_sums #(
        .PE(PE), .SIMD(SIMD), .STEPS(COL_STEPS), .X_BITS(X_BITS), .X_KIND(X_KIND), .W_BITS(W_BITS), .W_KIND(W_KIND),
        .PACKED(PACKED), .SHARED(PE), .ACC_BITS(ACC_BITS), .LEVELS(0), .OUT_BITS(ACC_BITS)
    ) sums (
        .clk, .rst, .step(marks[0]), .last(marks[1]), .inputs({PE{kept}}), .weights, .push(summed), .word(rows)
    );

    // Sums are asked for one cycle before what is added to them is there, and their places two cycles before that.
    wire row_near, add, add_last, leaves;
    finnp_delay #(.CYCLES(2 + TREE), .CLEARED(1'b1)) near_delay (.clk, .rst, .in(row_done), .out(row_near));
    finnp_delay #(.CYCLES(2), .CLEARED(1'b1)) add_delay (.clk, .rst, .in(row_near), .out(add));
    finnp_delay #(.WIDTH(2), .CYCLES(4 + TREE), .CLEARED(1'b1)) end_delay (
        .clk, .rst, .in({completes, leave}), .out({add_last, leaves})
    );
    localparam int unsigned ROW_LINES = DOWN * ACROSS * ROW_STEPS;
    wire [(ROW_LINES > 1 ? $clog2(ROW_LINES) : 1)-1:0] row_line;
    wire row_line_last;
    finnp_counter #(.COUNT(ROW_LINES)) row_line_counter (
        .clk, .rst, .step(row_near), .at(row_line), .last(row_line_last)
    );
    wire [PE*ROW_BITS-1:0] at;
    finnp_rom #(.WIDTH(PE * ROW_BITS), .WORDS(ROW_LINES), .FILE(ROW_INDEX)) row_rom (
        .clk, .at(row_line), .data(at)
    );

    wire push;
    wire [PE*OUT_BITS-1:0] word;
    finnp_row_sums #(
        .PE(PE), .RESULTS(RESULTS), .AT_BITS(ROW_BITS), .FORWARD(FORWARD), .ACC_BITS(ACC_BITS), .LEVELS(LEVELS),
        .THRESHOLD_BITS(THRESHOLD_BITS), .LINES(DOWN * RESULTS), .BASE(BASE), .STEP(STEP), .OUT_BITS(OUT_BITS),
        .OUT_KIND(OUT_KIND), .THRESHOLDS(THRESHOLDS), .FLIP(FLIP)
    ) row_sums (.clk, .rst, .add, .add_last, .at, .rows, .leave(leaves), .push, .word);

    finnp_fifo #(.WIDTH(PE * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(leave), .push, .push_data(word), .out_valid, .out_ready, .out_data
    );
    wire unused = &{1'b0, column_step, row_step, block, down, result, line_last, row_line_last, summed};
endmodule

`default_nettype wire
