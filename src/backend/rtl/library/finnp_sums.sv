// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// From a step's inputs and weights to what leaves a matrix unit: PE sums of products, added up over STEPS steps, and
// their thresholds. Nothing here ever waits; steps come when they come.
//
// A step's products enter with it; PUSH comes with the word so many cycles after the last of STEPS steps:
// 2 + ceil(log4(SIMD)), 4 more with DSP slices, and 2 more with thresholds.
`default_nettype none

module finnp_sums #(
    parameter int unsigned PE = 1,
    parameter int unsigned SIMD = 1,
    /// Steps of a sum.
    parameter int unsigned STEPS = 1,
    /// Lanes that hold products in the last step; those behind them are padding, of weight code 0.
    parameter int unsigned LAST = SIMD,
    parameter int unsigned X_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned X_KIND = 0,
    parameter int unsigned W_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar, 3 ternary.
    parameter int unsigned W_KIND = 1,
    /// Rows that one DSP slice multiplies at once; 0: look-up tables multiply.
    parameter int unsigned PACKED = 0,
    /// Rows, one after the other, that share their inputs.
    parameter int unsigned SHARED = 1,
    /// Bits of an accumulator, two's complement.
    parameter int unsigned ACC_BITS = 8,
    /// Thresholds of a row; 0: accumulators leave as they are.
    parameter int unsigned LEVELS = 0,
    parameter int unsigned THRESHOLD_BITS = 8,
    /// Lines of the memory of thresholds: words that follow each other take one each.
    parameter int unsigned LINES = 1,
    parameter int BASE = 0,
    parameter int STEP = 1,
    /// ACC_BITS where there are no thresholds.
    parameter int unsigned OUT_BITS = 8,
    parameter int unsigned OUT_KIND = 1,
    parameter THRESHOLDS = "",
    parameter FLIP = ""
) (
    input  wire                      clk,
    input  wire                      rst,
    /// Inputs and weights are those of a step.
    input  wire                      step,
    /// And of the last step of a sum.
    input  wire                      last,
    /// Of each row its SIMD inputs: rows that share theirs are given equal ones.
    input  wire [PE*SIMD*X_BITS-1:0] inputs,
    input  wire [PE*SIMD*W_BITS-1:0] weights,
    output wire                      push,
    output wire [PE*OUT_BITS-1:0]    word
);
    localparam int unsigned TREE = (unsigned'($clog2(SIMD)) + 1) / 2;
    // Products that are +1 or -1 are counted: twice those that are +1, less their number. The lowest bit of that
    // never changes, and the rest is a counter that begins below zero.
    localparam bit AGREE = X_KIND == 2 && W_KIND == 2;
    localparam int unsigned PRODUCTS = (STEPS - 1) * SIMD + LAST;
    localparam int unsigned SUM_BITS = !AGREE ? ACC_BITS : ACC_BITS > 1 ? ACC_BITS - 1 : 1;
    localparam int START = AGREE ? -((int'(PRODUCTS) + 1) / 2) : 0;

    localparam int unsigned SUMMED = TREE + (PACKED == 0 ? 1 : 5);

    wire summed;
    finnp_delay #(.CYCLES(SUMMED), .CLEARED(1'b1)) step_delay (.clk, .rst, .in(step), .out(summed));
    wire near_complete;
    finnp_delay #(.CYCLES(SUMMED - 1), .CLEARED(1'b1)) near_delay (.clk, .rst, .in(last), .out(near_complete));

    // Whether a sum begins with the products that are there.
    wire first;
    if (STEPS == 1) begin : g_always
        assign first = 1'b1;
    end else begin : g_sometimes
        wire complete;
        logic after_last;
        finnp_delay #(.CYCLES(1), .CLEARED(1'b1)) last_delay (.clk, .rst, .in(near_complete), .out(complete));
        always_ff @(posedge clk) begin
            if (summed) after_last <= complete;
            if (rst) after_last <= 1'b1;
        end
        assign first = after_last;
    end

    wire [PE*SUM_BITS-1:0] row_sums;
    if (PACKED == 0) begin : g_lut
        wire [SIMD-1:0] keep;
        for (genvar s = 0; s < SIMD; s++) begin : g_keep
            assign keep[s] = s < LAST || !last;
        end
        for (genvar p = 0; p < PE; p++) begin : g_row
            finnp_dot #(
                .SIMD(SIMD), .X_BITS(X_BITS), .X_KIND(X_KIND), .W_BITS(W_BITS), .W_KIND(W_KIND), .SUM_BITS(SUM_BITS)
            ) dot (
                .clk, .inputs(inputs[p*SIMD*X_BITS+:SIMD*X_BITS]), .weights(weights[p*SIMD*W_BITS+:SIMD*W_BITS]),
                .keep, .sum(row_sums[p*SUM_BITS+:SUM_BITS])
            );
        end
    end else begin : g_dsp
        // Padding has weight 0, so that nothing needs to be left out. Of rows that share their inputs the first counts.
        wire unused = &{1'b0, inputs};
        for (genvar g = 0; g < PE / SHARED; g++) begin : g_group
            for (genvar i = 0; i < (SHARED + PACKED - 1) / PACKED; i++) begin : g_slice
                localparam int unsigned FIRST = g * SHARED + i * PACKED;
                localparam int unsigned ROWS = (i + 1) * PACKED <= SHARED ? PACKED : SHARED - i * PACKED;
                finnp_packed_dot #(
                    .ROWS(ROWS), .SIMD(SIMD), .X_BITS(X_BITS), .X_KIND(X_KIND), .W_BITS(W_BITS), .SUM_BITS(SUM_BITS)
                ) dot (
                    .clk, .inputs(inputs[FIRST*SIMD*X_BITS+:SIMD*X_BITS]),
                    .weights(weights[FIRST*SIMD*W_BITS+:ROWS*SIMD*W_BITS]), .sums(row_sums[FIRST*SUM_BITS+:ROWS*SUM_BITS])
                );
            end
        end
    end

    wire [PE*ACC_BITS-1:0] accumulators;
    for (genvar p = 0; p < PE; p++) begin : g_row
        logic [SUM_BITS-1:0] total;
        always_ff @(posedge clk) begin
            if (summed) total <= (first ? SUM_BITS'(unsigned'(START)) : total) + row_sums[p*SUM_BITS+:SUM_BITS];
        end
        if (AGREE) begin : g_agree
            assign accumulators[p*ACC_BITS+:ACC_BITS] = ACC_BITS'({total, 1'(PRODUCTS)});
        end else begin : g_sum
            assign accumulators[p*ACC_BITS+:ACC_BITS] = total;
        end
    end

    finnp_finish #(
        .PE(PE), .ACC_BITS(ACC_BITS), .LEVELS(LEVELS), .THRESHOLD_BITS(THRESHOLD_BITS), .LINES(LINES), .BASE(BASE),
        .STEP(STEP), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND), .THRESHOLDS(THRESHOLDS), .FLIP(FLIP)
    ) finish (.clk, .rst, .soon(near_complete), .accumulators, .push, .word);
endmodule

`default_nettype wire
