// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// A memory of constants. What is asked for in one cycle is there two cycles later: the second register is the one
// at the output of block memories, without which they are slow.
`default_nettype none

module finnp_rom #(
    parameter int unsigned WIDTH = 8,
    parameter int unsigned WORDS = 2,
    /// One hexadecimal word a line.
    parameter FILE = "",
    parameter int unsigned AT_BITS = WORDS > 1 ? $clog2(WORDS) : 1
) (
    input  wire               clk,
    input  wire [AT_BITS-1:0] at,
    output wire [WIDTH-1:0]   data
);
    logic [WIDTH-1:0] memory[0:WORDS-1];
    logic [WIDTH-1:0] read, held;

    initial $readmemh(FILE, memory);

    always_ff @(posedge clk) begin
        read <= memory[at];
        held <= read;
    end

    assign data = held;
endmodule

`default_nettype wire
