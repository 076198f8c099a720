// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The channels of several streams side by side: of each pixel the words of stream 0 leave first, then those of
// stream 1, each element times its stream's constant. Two registers: after the products, and after the choice.
`default_nettype none

module finnp_concat #(
    parameter int unsigned PE = 1,
    /// Streams.
    parameter int unsigned INPUTS = 2,
    /// For each of them 32 bits, stream 0 lowest: its words of a pixel, bits of an element, and what its codes are:
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter logic [32*INPUTS-1:0] WORDS = {INPUTS{32'd1}},
    parameter logic [32*INPUTS-1:0] IN_BITS = {INPUTS{32'd8}},
    parameter logic [32*INPUTS-1:0] IN_KIND = {INPUTS{32'd0}},
    /// 64 bits each.
    parameter logic [64*INPUTS-1:0] GAINS = {INPUTS{64'd1}},
    /// Bits of the elements of all streams.
    parameter int unsigned ALL_BITS = 8 * INPUTS,
    parameter int unsigned OUT_BITS = 8,
    parameter int unsigned OUT_KIND = 0,
    parameter int unsigned DEPTH = 2
) (
    input  wire                   clk,
    input  wire                   rst,
    input  wire [INPUTS-1:0]      in_valid,
    output wire [INPUTS-1:0]      in_ready,
    input  wire [PE*ALL_BITS-1:0] in_data,
    output wire                   out_valid,
    input  wire                   out_ready,
    output wire [PE*OUT_BITS-1:0] out_data
);
    // Holds the result whatever its type.
    localparam int unsigned VALUE_BITS = OUT_KIND == 2 ? 2 : OUT_BITS;

    /// Bits of an element of all streams before this one.
    function automatic int unsigned bits_before(int unsigned stream);
        bits_before = 0;
        for (int unsigned i = 0; i < stream; i++) bits_before += IN_BITS[32*i+:32];
    endfunction

    /// Most words of a pixel of any stream.
    function automatic int unsigned most_words();
        most_words = 1;
        for (int unsigned i = 0; i < INPUTS; i++) begin
            if (WORDS[32*i+:32] > most_words) most_words = WORDS[32*i+:32];
        end
    endfunction

    localparam int unsigned MOST = most_words();
    localparam int unsigned COUNT_BITS = MOST > 1 ? unsigned'($clog2(MOST)) : 1;

    // The stream whose turn it is, one bit for each, and its words that have passed.
    logic [INPUTS-1:0] turn, last;
    logic [COUNT_BITS-1:0] count;
    wire room;
    wire step = |(turn & in_valid) && room;
    assign in_ready = room ? turn : '0;

    always_ff @(posedge clk) begin
        if (step) begin
            count <= count + 1'b1;
            if (|(turn & last)) begin
                count <= '0;
                turn <= {turn[INPUTS-2:0], turn[INPUTS-1]};
            end
        end
        if (rst) begin
            count <= '0;
            turn <= INPUTS'(1);
        end
    end

    // A stream whose turn it is not counts as zero.
    logic [INPUTS-1:0][PE*VALUE_BITS-1:0] products;
    for (genvar i = 0; i < INPUTS; i++) begin : g_stream
        localparam int unsigned BITS = IN_BITS[32*i+:32];
        localparam int unsigned FIRST = PE * bits_before(i);
        wire [PE*VALUE_BITS-1:0] scaled;

        assign last[i] = count == COUNT_BITS'(WORDS[32*i+:32] - 1);
        for (genvar p = 0; p < PE; p++) begin : g_channel
            finnp_scaled #(
                .IN_BITS(BITS), .IN_KIND(IN_KIND[32*i+:32]), .GAIN(signed'(GAINS[64*i+:64])), .OUT_BITS(VALUE_BITS)
            ) scale (
                .code(in_data[FIRST+p*BITS+:BITS]), .value(scaled[p*VALUE_BITS+:VALUE_BITS])
            );
        end
        always_ff @(posedge clk) begin
            products[i] <= scaled;
            if (!turn[i]) products[i] <= '0;
        end
    end

    logic [PE*VALUE_BITS-1:0] chosen, values;
    always_comb begin
        chosen = '0;
        for (int unsigned i = 0; i < INPUTS; i++) chosen |= products[i];
    end
    always_ff @(posedge clk) values <= chosen;

    wire [PE*OUT_BITS-1:0] codes;
    for (genvar p = 0; p < PE; p++) begin : g_code
        if (OUT_KIND == 2) begin : g_bipolar
            assign codes[p] = !values[p*VALUE_BITS+1];
            wire unused = &{1'b0, values[p*VALUE_BITS]};
        end else begin : g_integer
            assign codes[p*OUT_BITS+:OUT_BITS] = values[p*VALUE_BITS+:VALUE_BITS];
        end
    end

    wire push;
    finnp_delay #(.CYCLES(2), .CLEARED(1'b1)) push_delay (.clk, .rst, .in(step), .out(push));
    finnp_fifo #(.WIDTH(PE * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(step), .push, .push_data(codes), .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
