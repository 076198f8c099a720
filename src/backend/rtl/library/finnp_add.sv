// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The sum of two streams, element by element, each times a constant. Two registers: after the products and after
// the sum.
`default_nettype none

module finnp_add #(
    parameter int unsigned PE = 1,
    parameter int unsigned A_BITS = 8,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned A_KIND = 0,
    parameter longint A_GAIN = 1,
    parameter int unsigned B_BITS = 8,
    parameter int unsigned B_KIND = 0,
    parameter longint B_GAIN = 1,
    /// Bits of a sum.
    parameter int unsigned OUT_BITS = 9,
    parameter int unsigned DEPTH = 2
) (
    input  wire                            clk,
    input  wire                            rst,
    // Bit and word 0 are those of A.
    input  wire [1:0]                      in_valid,
    output wire [1:0]                      in_ready,
    input  wire [PE*(A_BITS+B_BITS)-1:0]   in_data,
    output wire                            out_valid,
    input  wire                            out_ready,
    output wire [PE*OUT_BITS-1:0]          out_data
);
    wire room;
    wire step = &in_valid && room;
    assign in_ready = {in_valid[0] && room, in_valid[1] && room};

    logic [PE-1:0][OUT_BITS-1:0] a, b, sums;
    for (genvar p = 0; p < PE; p++) begin : g_channel
        wire [OUT_BITS-1:0] scaled_a, scaled_b;
        finnp_scaled #(.IN_BITS(A_BITS), .IN_KIND(A_KIND), .GAIN(A_GAIN), .OUT_BITS(OUT_BITS)) scale_a (
            .code(in_data[p*A_BITS+:A_BITS]), .value(scaled_a)
        );
        finnp_scaled #(.IN_BITS(B_BITS), .IN_KIND(B_KIND), .GAIN(B_GAIN), .OUT_BITS(OUT_BITS)) scale_b (
            .code(in_data[PE*A_BITS+p*B_BITS+:B_BITS]), .value(scaled_b)
        );
        always_ff @(posedge clk) begin
            a[p] <= scaled_a;
            b[p] <= scaled_b;
            sums[p] <= a[p] + b[p];
        end
    end

    wire push;
    finnp_delay #(.CYCLES(2), .CLEARED(1'b1)) push_delay (.clk, .rst, .in(step), .out(push));
    finnp_fifo #(.WIDTH(PE * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(step), .push, .push_data(sums), .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
