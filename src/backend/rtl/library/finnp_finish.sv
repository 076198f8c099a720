// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// What becomes of accumulators before they leave: their thresholds, or nothing.
//
// Accumulators are there two cycles after SOON. They leave, with PUSH, in that cycle, or two cycles later where there are
// thresholds.
`default_nettype none

module finnp_finish #(
    parameter int unsigned PE = 1,
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
    input  wire                   clk,
    input  wire                   rst,
    input  wire                   soon,
    input  wire [PE*ACC_BITS-1:0] accumulators,
    output wire                   push,
    output wire [PE*OUT_BITS-1:0] word
);
    finnp_delay #(.CYCLES(LEVELS == 0 ? 2 : 4), .CLEARED(1'b1)) push_delay (.clk, .rst, .in(soon), .out(push));

    if (LEVELS == 0) begin : g_plain
        assign word = accumulators;
    end else begin : g_thresholds
        // Asked for before the accumulators are there, so that neither needs to be delayed.
        wire [(LINES > 1 ? $clog2(LINES) : 1)-1:0] at;
        wire line_last;
        finnp_counter #(.COUNT(LINES)) line (.clk, .rst, .step(soon), .at, .last(line_last));
        wire unused = &{1'b0, line_last};

        wire [PE*LEVELS*THRESHOLD_BITS-1:0] thresholds;
        wire [PE-1:0] flip;
        finnp_rom #(.WIDTH(PE * LEVELS * THRESHOLD_BITS), .WORDS(LINES), .FILE(THRESHOLDS)) threshold_rom (
            .clk, .at, .data(thresholds)
        );
        finnp_rom #(.WIDTH(PE), .WORDS(LINES), .FILE(FLIP)) flip_rom (.clk, .at, .data(flip));
        finnp_thresholds #(
            .PE(PE), .VALUE_BITS(ACC_BITS), .LEVELS(LEVELS), .THRESHOLD_BITS(THRESHOLD_BITS),
            .BASE(BASE), .STEP(STEP), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND)
        ) compare (.clk, .values(accumulators), .thresholds, .flip, .codes(word));
    end
endmodule

`default_nettype wire
