// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// What a convolution sees at each place of its window, one place after the other: position by position, channel
// fastest. With several groups those of a place are pixels of their own.
`default_nettype none

module finnp_sliding_window #(
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
    /// Groups of channels.
    parameter int unsigned GROUPS = 1,
    /// Elements of an input word: a divisor of the channels, or whole pixels that divide a row.
    parameter int unsigned PE = 1,
    /// Elements of an output word: a divisor of a group's channels, or whole positions, which divide the kernel.
    parameter int unsigned SIMD = 1,
    parameter int unsigned IN_BITS = 8,
    parameter int unsigned IN_KIND = 0,
    parameter int unsigned OUT_BITS = 8,
    parameter int unsigned OUT_KIND = 0,
    parameter longint PAD = 0,
    parameter int unsigned DEPTH = 2
) (
    input  wire                     clk,
    input  wire                     rst,
    input  wire                     in_valid,
    output wire                     in_ready,
    input  wire [PE*IN_BITS-1:0]    in_data,
    output wire                     out_valid,
    input  wire                     out_ready,
    output wire [SIMD*OUT_BITS-1:0] out_data
);
    localparam int unsigned GROUP = CHANNELS / GROUPS;
    localparam int unsigned CHUNK = SIMD < GROUP ? SIMD : GROUP;

    wire room, step, begins, makes;
    wire [SIMD*OUT_BITS-1:0] elements;
    finnp_window #(
        .ROWS(ROWS), .COLUMNS(COLUMNS), .CHANNELS(CHANNELS), .KERNEL_ROWS(KERNEL_ROWS), .KERNEL_COLUMNS(KERNEL_COLUMNS),
        .STRIDE_ROWS(STRIDE_ROWS), .STRIDE_COLUMNS(STRIDE_COLUMNS), .DILATION_ROWS(DILATION_ROWS),
        .DILATION_COLUMNS(DILATION_COLUMNS), .TOP(TOP), .LEFT(LEFT), .PLACE_ROWS(PLACE_ROWS),
        .PLACE_COLUMNS(PLACE_COLUMNS), .PE(PE), .GROUP(GROUP), .CHUNK(CHUNK), .LANES(SIMD / CHUNK), .IN_BITS(IN_BITS),
        .IN_KIND(IN_KIND), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND), .PAD(PAD), .EVERY(1'b1)
    ) window (.clk, .rst, .in_valid, .in_ready, .in_data, .room, .step, .begins, .makes, .elements);
    wire unused = &{1'b0, begins, makes};

    wire push;
    finnp_delay #(.CYCLES(3), .CLEARED(1'b1)) push_delay (.clk, .rst, .in(step), .out(push));
    finnp_fifo #(.WIDTH(SIMD * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(step), .push, .push_data(elements), .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
