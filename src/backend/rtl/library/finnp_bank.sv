// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// A memory that is written in one place and read in another. What is asked for in one cycle is there in the next.
// A place must not be read in the cycle in which it is written.
`default_nettype none

module finnp_bank #(
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
    logic [WIDTH-1:0] read;
    assign read_data = read;

    if (WORDS <= 128) begin : g_shallow
        // Look-up tables: a block memory would stay almost empty.
        (* ram_style = "distributed" *) logic [WIDTH-1:0] memory[0:WORDS-1];
        always_ff @(posedge clk) begin
            if (write) memory[write_at] <= write_data;
            read <= memory[read_at];
        end
    end else begin : g_deep
        logic [WIDTH-1:0] memory[0:WORDS-1];
        always_ff @(posedge clk) begin
            if (write) memory[write_at] <= write_data;
            read <= memory[read_at];
        end
    end
endmodule

`default_nettype wire
