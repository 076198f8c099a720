// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Dense matrix-vector-threshold unit: PE rows and SIMD columns a cycle.
`default_nettype none

module finnp_mvau #(
    parameter int unsigned PE = 1,
    parameter int unsigned SIMD = 1,
    /// Words of a pixel, and words that are made of it.
    parameter int unsigned WORDS = 1,
    parameter int unsigned FOLDS = 1,
    /// Matrices that take turns, pixel by pixel.
    parameter int unsigned MATRICES = 1,
    /// Columns in the last word of a pixel.
    parameter int unsigned LAST = SIMD,
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
    localparam int unsigned LINES = MATRICES * FOLDS * WORDS;
    localparam int unsigned WORD_BITS = SIMD * X_BITS;

    // A step takes one word of the pixel; in the last one of them a word is begun to be made.
    wire room, step, last;
    // The inputs of a step, two cycles after it as its weights are.
    wire [WORD_BITS-1:0] inputs;

    if (FOLDS == 1) begin : g_passing
        // Each word is needed once: it is multiplied as it comes.
        wire [(WORDS > 1 ? $clog2(WORDS) : 1)-1:0] at;
        finnp_counter #(.COUNT(WORDS)) word_counter (.clk, .rst, .step, .at, .last);
        wire unused = &{1'b0, at};

        assign in_ready = room || !last;
        assign step = in_valid && in_ready;
        finnp_delay #(.WIDTH(WORD_BITS), .CYCLES(2)) word_delay (.clk, .rst, .in(in_data), .out(inputs));
    end else begin : g_kept
        finnp_pixels #(.WIDTH(WORD_BITS), .WORDS(WORDS), .FOLDS(FOLDS)) pixels (
            .clk, .rst, .in_valid, .in_ready, .in_data, .room, .step, .last, .inputs
        );
    end

    localparam int unsigned AT_BITS = LINES > 1 ? unsigned'($clog2(LINES)) : 1;
    wire [AT_BITS-1:0] at;
    wire line_last;
    finnp_counter #(.COUNT(LINES)) line (.clk, .rst, .step, .at, .last(line_last));
    wire unused = &{1'b0, line_last};
    wire [PE*SIMD*W_BITS-1:0] weights;
    finnp_rom #(.WIDTH(PE * SIMD * W_BITS), .WORDS(LINES), .FILE(WEIGHTS)) weight_rom (.clk, .at, .data(weights));

    wire makes = step && last;
    wire [1:0] marks;
    finnp_delay #(.WIDTH(2), .CYCLES(2), .CLEARED(1'b1)) mark_delay (.clk, .rst, .in({makes, step}), .out(marks));

    wire push;
    wire [PE*OUT_BITS-1:0] word;
    finnp_sums #(
        .PE(PE), .SIMD(SIMD), .STEPS(WORDS), .LAST(LAST), .X_BITS(X_BITS), .X_KIND(X_KIND),
        .PACKED(PACKED), .SHARED(PE),
        .W_BITS(W_BITS), .W_KIND(W_KIND), .ACC_BITS(ACC_BITS), .LEVELS(LEVELS), .THRESHOLD_BITS(THRESHOLD_BITS),
        .LINES(MATRICES * FOLDS), .BASE(BASE), .STEP(STEP), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND),
        .THRESHOLDS(THRESHOLDS), .FLIP(FLIP)
    ) sums (.clk, .rst, .step(marks[0]), .last(marks[1]), .inputs({PE{inputs}}), .weights, .push, .word);

    finnp_fifo #(.WIDTH(PE * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(makes), .push, .push_data(word), .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
