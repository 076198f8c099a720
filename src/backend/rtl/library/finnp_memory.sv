// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// A memory with one port that writes and one that reads. What is asked for in one cycle is there in the next; a word
// that is written in the same cycle is not yet seen.
`default_nettype none

module finnp_memory #(
    parameter int unsigned WIDTH = 8,
    parameter int unsigned WORDS = 2,
    parameter int unsigned AT_BITS = WORDS > 1 ? $clog2(WORDS) : 1
) (
    input  wire               clk,
    input  wire               write,
    input  wire [AT_BITS-1:0] write_at,
    input  wire [WIDTH-1:0]   write_data,
    input  wire [AT_BITS-1:0] read_at,
    output wire [WIDTH-1:0]   read_data
);
    logic [WIDTH-1:0] memory[0:WORDS-1];
    logic [WIDTH-1:0] read;

    always_ff @(posedge clk) begin
        if (write) memory[write_at] <= write_data;
        read <= memory[read_at];
    end

    assign read_data = read;
endmodule

`default_nettype wire
