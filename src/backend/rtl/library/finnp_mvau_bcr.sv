// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Matrix-vector-threshold unit whose weights are pruned in the balanced form: PE rows and SIMD kept columns a cycle.
//
// Lane s holds the columns whose remainder by SIMD is s, in banks of WORDS words. Every BLOCK words of a bank keep
// BLOCK_STEPS, the same number for all lanes, so no lane is ever idle; an index says which word, and the address
// decoder of the bank does the rest. Rows that share what they keep share a bank. The next pixel arrives while this
// one is computed.
`default_nettype none

module finnp_mvau_bcr #(
    parameter int unsigned PE = 1,
    parameter int unsigned SIMD = 1,
    /// Words of a pixel, and words that are made of it.
    parameter int unsigned WORDS = 2,
    parameter int unsigned FOLDS = 1,
    /// Words of a block, a divisor of WORDS, and how many of them are kept.
    parameter int unsigned BLOCK = 2,
    parameter int unsigned BLOCK_STEPS = 1,
    /// Lists of kept words that are read at once, a divisor of PE.
    parameter int unsigned GROUPS = 1,
    /// Words made one after the other that read the same lists.
    parameter int unsigned SHARING = 1,
    parameter int unsigned INDEX_BITS = 1,
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
    localparam int unsigned BLOCKS = WORDS / BLOCK;
    localparam int unsigned STEPS = BLOCKS * BLOCK_STEPS;

    // Blocks begin at multiples of a power of two where that makes a bank no larger: then an address is the block
    // beside the index, and nothing needs to be added. The second half of a bank always begins at such a place.
    localparam int unsigned ROUND = 1 << unsigned'($clog2(BLOCK));
    localparam int unsigned ROUND_HALF = ROUND << unsigned'($clog2(BLOCKS));
    localparam bit ALIGNED = ROUND_HALF <= 16 || ROUND_HALF == 1 << $clog2(WORDS);
    localparam int unsigned STRIDE = ALIGNED ? ROUND : BLOCK;
    localparam int unsigned HALF = ALIGNED ? ROUND_HALF : 1 << unsigned'($clog2(WORDS));
    localparam int unsigned PLACES = HALF + (BLOCKS - 1) * STRIDE + BLOCK;
    localparam int unsigned AT_BITS = unsigned'($clog2(PLACES));

    // The side that takes words. What one side does in a cycle, the other one sees in the next.
    wire take = in_valid && in_ready;
    wire taken_last;
    wire [AT_BITS-1:0] taken;
    logic write_second;
    wire [AT_BITS-1:0] write_at = (write_second ? AT_BITS'(HALF) : '0) | taken;
    finnp_places #(.BLOCK(BLOCK), .BLOCKS(BLOCKS), .STRIDE(STRIDE), .AT_BITS(AT_BITS)) places (
        .clk, .rst, .step(take), .at(taken), .last(taken_last)
    );

    // The side that makes words: a step reads one kept word of every lane.
    wire room, block_end, block_last;
    wire [AT_BITS-1:0] block_at;
    wire last = block_end && block_last;
    logic [1:0] ahead;
    wire step = ahead != 0 && (room || !last);
    wire [(BLOCK_STEPS > 1 ? $clog2(BLOCK_STEPS) : 1)-1:0] block_step;
    finnp_counter #(.COUNT(BLOCK_STEPS)) step_counter (.clk, .rst, .step, .at(block_step), .last(block_end));
    finnp_places #(.BLOCK(1), .BLOCKS(BLOCKS), .STRIDE(STRIDE), .AT_BITS(AT_BITS)) blocks (
        .clk, .rst, .step(step && block_end), .at(block_at), .last(block_last)
    );

    localparam int unsigned LINES = FOLDS * STEPS;
    localparam int unsigned LINE_BITS = LINES > 1 ? unsigned'($clog2(LINES)) : 1;
    wire [LINE_BITS-1:0] line, weights_at;
    wire line_last;
    finnp_counter #(.COUNT(LINES)) line_counter (.clk, .rst, .step, .at(line), .last(line_last));

    logic read_second;
    wire arrives = take && taken_last;
    wire done = step && line_last;
    assign in_ready = !ahead[1];
    always_ff @(posedge clk) begin
        if (arrives) write_second <= !write_second;
        if (done) read_second <= !read_second;
        if (arrives != done) ahead <= arrives ? ahead + 1'b1 : ahead - 1'b1;
        if (rst) begin
            write_second <= 1'b0;
            read_second <= 1'b0;
            ahead <= '0;
        end
    end

    // Indices are there two cycles after their step, the words that they name three.
    wire [GROUPS*SIMD*INDEX_BITS-1:0] index;
    finnp_lists #(
        .WIDTH(GROUPS * SIMD * INDEX_BITS), .STEPS(STEPS), .FOLDS(FOLDS), .SHARING(SHARING), .FILE(INDEX)
    ) lists (.clk, .rst, .step, .last, .done, .index);

    // Banks are read two cycles after the step, so they are written two cycles after words are taken.
    wire [AT_BITS-1:0] base;
    finnp_delay #(.WIDTH(AT_BITS), .CYCLES(2)) base_delay (
        .clk, .rst, .in((read_second ? AT_BITS'(HALF) : '0) | block_at), .out(base)
    );
    wire write;
    wire [AT_BITS-1:0] bank_at;
    wire [WORD_BITS-1:0] bank_word;
    finnp_delay #(.CYCLES(2), .CLEARED(1'b1)) write_delay (.clk, .rst, .in(take), .out(write));
    finnp_delay #(.WIDTH(AT_BITS + WORD_BITS), .CYCLES(2)) word_delay (
        .clk, .rst, .in({write_at, in_data}), .out({bank_at, bank_word})
    );

    wire [GROUPS*SIMD*AT_BITS-1:0] kept_at;
    for (genvar g = 0; g < GROUPS; g++) begin : g_group
        for (genvar s = 0; s < SIMD; s++) begin : g_lane
            wire [INDEX_BITS-1:0] word = index[(g*SIMD+s)*INDEX_BITS+:INDEX_BITS];
            wire [AT_BITS-1:0] read_at;
            if (BLOCK == 1) begin : g_block
                assign read_at = base;
                wire unused = &{1'b0, word};
            end else if (ALIGNED) begin : g_beside
                assign read_at = {base[AT_BITS-1:INDEX_BITS], word};
            end else begin : g_added
                assign read_at = base + AT_BITS'(word);
            end
            assign kept_at[(g*SIMD+s)*AT_BITS+:AT_BITS] = read_at;
        end
    end
    wire [GROUPS*WORD_BITS-1:0] kept;
    finnp_banks #(.BANKS(GROUPS * SIMD), .WIDTH(X_BITS), .WORDS(PLACES), .AT_BITS(AT_BITS)) banks (
        .clk, .write, .write_at(bank_at), .write_data({GROUPS{bank_word}}), .read_at(kept_at), .read_data(kept)
    );

    finnp_delay #(.WIDTH(LINE_BITS), .CYCLES(1)) line_delay (.clk, .rst, .in(line), .out(weights_at));
    wire [PE*SIMD*W_BITS-1:0] weights;
    finnp_rom #(.WIDTH(PE * SIMD * W_BITS), .WORDS(LINES), .FILE(WEIGHTS)) weight_rom (
        .clk, .at(weights_at), .data(weights)
    );

    wire makes = step && last;
    wire [1:0] marks;
    finnp_delay #(.WIDTH(2), .CYCLES(3), .CLEARED(1'b1)) mark_delay (.clk, .rst, .in({makes, step}), .out(marks));

    wire [PE*WORD_BITS-1:0] inputs;
    for (genvar p = 0; p < PE; p++) begin : g_row
        assign inputs[p*WORD_BITS+:WORD_BITS] = kept[p/(PE/GROUPS)*WORD_BITS+:WORD_BITS];
    end
    wire push;
    wire [PE*OUT_BITS-1:0] word;
    finnp_sums #(
        .PE(PE), .SIMD(SIMD), .STEPS(STEPS), .X_BITS(X_BITS), .X_KIND(X_KIND), .PACKED(PACKED), .SHARED(PE / GROUPS),
        .W_BITS(W_BITS), .W_KIND(W_KIND),
        .ACC_BITS(ACC_BITS), .LEVELS(LEVELS), .THRESHOLD_BITS(THRESHOLD_BITS), .LINES(FOLDS), .BASE(BASE),
        .STEP(STEP), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND), .THRESHOLDS(THRESHOLDS), .FLIP(FLIP)
    ) sums (.clk, .rst, .step(marks[0]), .last(marks[1]), .inputs, .weights, .push, .word);

    finnp_fifo #(.WIDTH(PE * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(makes), .push, .push_data(word), .out_valid, .out_ready, .out_data
    );
    wire unused = &{1'b0, block_step, base};
endmodule

`default_nettype wire
