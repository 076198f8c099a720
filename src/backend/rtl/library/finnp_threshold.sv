// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Thresholds alone, PE channels a cycle.
`default_nettype none

module finnp_threshold #(
    parameter int unsigned PE = 1,
    /// Words of a pixel.
    parameter int unsigned WORDS = 1,
    parameter int unsigned IN_BITS = 8,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned IN_KIND = 0,
    parameter int unsigned LEVELS = 1,
    parameter int unsigned THRESHOLD_BITS = 8,
    parameter int BASE = 0,
    parameter int STEP = 1,
    parameter int unsigned OUT_BITS = 1,
    parameter int unsigned OUT_KIND = 0,
    parameter int unsigned DEPTH = 2,
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
    localparam int unsigned AT_BITS = WORDS > 1 ? unsigned'($clog2(WORDS)) : 1;
    // Bits of a value of any kind, two's complement.
    localparam int unsigned VALUE_BITS = IN_KIND == 1 ? IN_BITS : IN_BITS + 1;

    wire room;
    wire step = in_valid && room;
    assign in_ready = room;

    logic [AT_BITS-1:0] at;
    always_ff @(posedge clk) begin
        if (step) at <= at == AT_BITS'(WORDS - 1) ? '0 : at + 1'b1;
        if (rst) at <= '0;
    end

    wire [PE*LEVELS*THRESHOLD_BITS-1:0] thresholds;
    wire [PE-1:0] flip;
    finnp_rom #(.WIDTH(PE * LEVELS * THRESHOLD_BITS), .WORDS(WORDS), .FILE(THRESHOLDS)) threshold_rom (
        .clk, .at, .data(thresholds)
    );
    finnp_rom #(.WIDTH(PE), .WORDS(WORDS), .FILE(FLIP)) flip_rom (.clk, .at, .data(flip));

    wire [PE*IN_BITS-1:0] word;
    finnp_delay #(.WIDTH(PE * IN_BITS), .CYCLES(2)) word_delay (.clk, .rst, .in(in_data), .out(word));
    wire [PE*VALUE_BITS-1:0] values;
    for (genvar p = 0; p < PE; p++) begin : g_value
        finnp_value #(.IN_BITS(IN_BITS), .IN_KIND(IN_KIND), .OUT_BITS(VALUE_BITS)) decode (
            .code(word[p*IN_BITS+:IN_BITS]), .value(values[p*VALUE_BITS+:VALUE_BITS])
        );
    end

    wire [PE*OUT_BITS-1:0] codes;
    finnp_thresholds #(
        .PE(PE), .VALUE_BITS(VALUE_BITS), .LEVELS(LEVELS), .THRESHOLD_BITS(THRESHOLD_BITS),
        .BASE(BASE), .STEP(STEP), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND)
    ) compare (.clk, .values, .thresholds, .flip, .codes);

    wire push;
    finnp_delay #(.CYCLES(4), .CLEARED(1'b1)) push_delay (.clk, .rst, .in(step), .out(push));
    finnp_fifo #(.WIDTH(PE * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(step), .push, .push_data(codes), .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
