// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The largest element that a window sees of each channel, or their sum: PE channels and SIMD positions of the kernel
// a cycle, as a depthwise convolution sees them.
`default_nettype none

module finnp_pool #(
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
    parameter int unsigned PE = 1,
    parameter int unsigned SIMD = 1,
    parameter int unsigned IN_BITS = 8,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned IN_KIND = 0,
    /// The type of what is seen, padding included.
    parameter int unsigned SEEN_BITS = 8,
    parameter int unsigned SEEN_KIND = 0,
    /// What padding counts as, and what positions do that the kernel does not have.
    parameter longint PAD = 0,
    parameter longint ABSENT = 0,
    /// Whether the largest is sought, not the sum; then all types are the same.
    parameter bit LARGEST = 1'b0,
    parameter int unsigned OUT_BITS = 8,
    parameter int unsigned DEPTH = 2
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
    wire room, step, begins, makes;
    wire [SIMD*PE*SEEN_BITS-1:0] elements;
    finnp_window #(
        .ROWS(ROWS), .COLUMNS(COLUMNS), .CHANNELS(CHANNELS), .KERNEL_ROWS(KERNEL_ROWS), .KERNEL_COLUMNS(KERNEL_COLUMNS),
        .STRIDE_ROWS(STRIDE_ROWS), .STRIDE_COLUMNS(STRIDE_COLUMNS), .DILATION_ROWS(DILATION_ROWS),
        .DILATION_COLUMNS(DILATION_COLUMNS), .TOP(TOP), .LEFT(LEFT), .PLACE_ROWS(PLACE_ROWS),
        .PLACE_COLUMNS(PLACE_COLUMNS), .PE(PE), .GROUP(PE), .CHUNK(PE), .LANES(SIMD), .IN_BITS(IN_BITS),
        .IN_KIND(IN_KIND), .OUT_BITS(SEEN_BITS), .OUT_KIND(SEEN_KIND), .PAD(PAD), .ABSENT(ABSENT)
    ) window (.clk, .rst, .in_valid, .in_ready, .in_data, .room, .step, .begins, .makes, .elements);

    // The largest is sought among codes, which have the order of what they stand for.
    wire [SIMD*PE*OUT_BITS-1:0] values;
    for (genvar i = 0; i < SIMD * PE; i++) begin : g_value
        if (LARGEST) begin : g_code
            assign values[i*OUT_BITS+:OUT_BITS] = elements[i*SEEN_BITS+:SEEN_BITS];
        end else begin : g_number
            finnp_value #(.IN_BITS(SEEN_BITS), .IN_KIND(SEEN_KIND), .OUT_BITS(OUT_BITS)) decode (
                .code(elements[i*SEEN_BITS+:SEEN_BITS]), .value(values[i*OUT_BITS+:OUT_BITS])
            );
        end
    end

    wire [PE*OUT_BITS-1:0] gathered, results;
    finnp_gather #(
        .PE(PE), .COUNT(SIMD), .BITS(OUT_BITS), .LARGEST(LARGEST), .SIGNED(SEEN_KIND == 1)
    ) gather (.clk, .values, .results(gathered));

    /// Levels of the tree of so many values.
    function automatic int unsigned levels(int unsigned count);
        levels = 0;
        for (int unsigned left = count; left > 1; left = (left + 3) / 4) levels++;
    endfunction

    localparam int unsigned GATHERED = 3 + levels(SIMD);
    wire valid, first, last, push;
    finnp_delay #(.WIDTH(3), .CYCLES(GATHERED), .CLEARED(1'b1)) step_delay (
        .clk, .rst, .in({step && makes, begins, step}), .out({last, first, valid})
    );
    finnp_delay #(.CYCLES(1), .CLEARED(1'b1)) push_delay (.clk, .rst, .in(last), .out(push));
    finnp_running #(.PE(PE), .BITS(OUT_BITS), .LARGEST(LARGEST), .SIGNED(SEEN_KIND == 1)) running (
        .clk, .at(1'b0), .valid, .first, .values(gathered), .results
    );

    finnp_fifo #(.WIDTH(PE * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(step && makes), .push, .push_data(results), .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
