// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The same stream for several readers: a word goes into all FIFOs at once, when all have room.
`default_nettype none

module finnp_duplicate #(
    parameter int unsigned WIDTH = 8,
    parameter int unsigned COPIES = 2,
    /// Words behind each copy, 32 bits each.
    parameter logic [32*COPIES-1:0] DEPTHS = {COPIES{32'd2}}
) (
    input  wire                    clk,
    input  wire                    rst,
    input  wire                    in_valid,
    output wire                    in_ready,
    input  wire [WIDTH-1:0]        in_data,
    output wire [COPIES-1:0]       out_valid,
    input  wire [COPIES-1:0]       out_ready,
    output wire [COPIES*WIDTH-1:0] out_data
);
    wire [COPIES-1:0] room;
    wire step = in_valid && in_ready;
    assign in_ready = &room;

    logic [WIDTH-1:0] word;
    logic push;
    always_ff @(posedge clk) begin
        word <= in_data;
        push <= step && !rst;
    end

    for (genvar c = 0; c < COPIES; c++) begin : g_copy
        finnp_fifo #(.WIDTH(WIDTH), .DEPTH(DEPTHS[32*c+:32])) fifo (
            .clk, .rst, .room(room[c]), .reserve(step), .push, .push_data(word),
            .out_valid(out_valid[c]), .out_ready(out_ready[c]), .out_data(out_data[c*WIDTH+:WIDTH])
        );
    end
endmodule

`default_nettype wire
