// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Depthwise convolution with thresholds, and the window in front of it: a kernel for each channel, PE channels and
// SIMD positions of the kernel a cycle.
`default_nettype none

module finnp_vvau #(
    // As in finnp_window.
    parameter int unsigned ROWS = 3,
    parameter int unsigned COLUMNS = 3,
    parameter int unsigned CHANNELS = 1,
    parameter int unsigned KERNEL_ROWS = 3,
    parameter int unsigned KERNEL_COLUMNS = 3,
    parameter int unsigned STRIDE_ROWS = 1,
    parameter int unsigned STRIDE_COLUMNS = 1,
    parameter int unsigned DILATION_ROWS = 1,
    parameter int unsigned DILATION_COLUMNS = 1,
    parameter int unsigned TOP = 0,
    parameter int unsigned LEFT = 0,
    parameter int unsigned PLACE_ROWS = 1,
    parameter int unsigned PLACE_COLUMNS = 1,
    parameter int unsigned PE = 1,
    parameter int unsigned SIMD = 1,
    parameter int unsigned IN_BITS = 8,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned IN_KIND = 0,
    /// The type of what is multiplied: it holds the input's, and the padding.
    parameter int unsigned X_BITS = 8,
    parameter int unsigned X_KIND = 0,
    parameter longint PAD = 0,
    parameter int unsigned W_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar, 3 ternary.
    parameter int unsigned W_KIND = 1,
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
    input  wire [PE*IN_BITS-1:0]  in_data,
    output wire                   out_valid,
    input  wire                   out_ready,
    output wire [PE*OUT_BITS-1:0] out_data
);
    localparam int unsigned POSITIONS = KERNEL_ROWS * KERNEL_COLUMNS;
    localparam int unsigned STEPS = (POSITIONS + SIMD - 1) / SIMD;
    localparam int unsigned FOLDS = CHANNELS / PE;
    localparam int unsigned LINES = FOLDS * STEPS;

    wire room, step, begins, makes;
    wire [SIMD*PE*X_BITS-1:0] elements;
    finnp_window #(
        .ROWS(ROWS), .COLUMNS(COLUMNS), .CHANNELS(CHANNELS), .KERNEL_ROWS(KERNEL_ROWS), .KERNEL_COLUMNS(KERNEL_COLUMNS),
        .STRIDE_ROWS(STRIDE_ROWS), .STRIDE_COLUMNS(STRIDE_COLUMNS), .DILATION_ROWS(DILATION_ROWS),
        .DILATION_COLUMNS(DILATION_COLUMNS), .TOP(TOP), .LEFT(LEFT), .PLACE_ROWS(PLACE_ROWS),
        .PLACE_COLUMNS(PLACE_COLUMNS), .PE(PE), .GROUP(PE), .CHUNK(PE), .LANES(SIMD), .IN_BITS(IN_BITS),
        .IN_KIND(IN_KIND), .OUT_BITS(X_BITS), .OUT_KIND(X_KIND), .PAD(PAD)
    ) window (.clk, .rst, .in_valid, .in_ready, .in_data, .room, .step, .begins, .makes, .elements);

    // Weights are asked for a cycle after their step, so that they come with what they are multiplied by.
    wire asked;
    finnp_delay #(.CYCLES(1), .CLEARED(1'b1)) ask_delay (.clk, .rst, .in(step), .out(asked));
    wire [(LINES > 1 ? $clog2(LINES) : 1)-1:0] at;
    wire last_line;
    finnp_counter #(.COUNT(LINES)) line (.clk, .rst, .step(asked), .at, .last(last_line));
    wire unused = &{1'b0, begins, last_line};
    wire [PE*SIMD*W_BITS-1:0] weights;
    finnp_rom #(.WIDTH(PE * SIMD * W_BITS), .WORDS(LINES), .FILE(WEIGHTS)) weight_rom (.clk, .at, .data(weights));

    // Channel by channel what its kernel sees.
    wire [PE*SIMD*X_BITS-1:0] inputs;
    for (genvar p = 0; p < PE; p++) begin : g_channel
        for (genvar s = 0; s < SIMD; s++) begin : g_position
            assign inputs[(p*SIMD+s)*X_BITS+:X_BITS] = elements[(s*PE+p)*X_BITS+:X_BITS];
        end
    end

    wire [1:0] marks;
    finnp_delay #(.WIDTH(2), .CYCLES(3), .CLEARED(1'b1)) mark_delay (
        .clk, .rst, .in({step && makes, step}), .out(marks)
    );
    wire push;
    wire [PE*OUT_BITS-1:0] word;
    finnp_sums #(
        .PE(PE), .SIMD(SIMD), .STEPS(STEPS), .LAST(POSITIONS - (STEPS - 1) * SIMD), .X_BITS(X_BITS), .X_KIND(X_KIND),
        .W_BITS(W_BITS), .W_KIND(W_KIND), .ACC_BITS(ACC_BITS), .LEVELS(LEVELS), .THRESHOLD_BITS(THRESHOLD_BITS),
        .LINES(FOLDS), .BASE(BASE), .STEP(STEP), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND),
        .THRESHOLDS(THRESHOLDS), .FLIP(FLIP)
    ) sums (.clk, .rst, .step(marks[0]), .last(marks[1]), .inputs, .weights, .push, .word);

    finnp_fifo #(.WIDTH(PE * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(step && makes), .push, .push_data(word), .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
