// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// A row of registers: what enters in one cycle leaves so many cycles later.
`default_nettype none

module finnp_delay #(
    parameter int unsigned WIDTH = 1,
    parameter int unsigned CYCLES = 1,
    /// Whether reset clears it, as the marks of words need and the words do not.
    parameter bit CLEARED = 1'b0
) (
    input  wire             clk,
    input  wire             rst,
    input  wire [WIDTH-1:0] in,
    output wire [WIDTH-1:0] out
);
    if (CYCLES == 0) begin : g_wire
        assign out = in;
        wire unused = &{1'b0, clk, rst, CLEARED};
    end else begin : g_registers
        logic [CYCLES-1:0][WIDTH-1:0] line;
        wire clear = CLEARED && rst;

        always_ff @(posedge clk) begin
            line[0] <= clear ? '0 : in;
            for (int unsigned i = 1; i < CYCLES; i++) line[i] <= clear ? '0 : line[i-1];
        end

        assign out = line[CYCLES-1];
    end
endmodule

`default_nettype wire
