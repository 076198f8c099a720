// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The largest element that a window sees of each channel, or their sum, where windows lie side by side: results grow
// as the picture arrives, a word a cycle, first along a row of the kernel, then from row to row.
`default_nettype none

module finnp_pool_beside #(
    // As in finnp_window.
    parameter int unsigned ROWS = 2,
    parameter int unsigned COLUMNS = 2,
    parameter int unsigned CHANNELS = 1,
    parameter int unsigned KERNEL_ROWS = 2,
    parameter int unsigned KERNEL_COLUMNS = 2,
    parameter int unsigned STRIDE_ROWS = 2,
    parameter int unsigned STRIDE_COLUMNS = 2,
    parameter int unsigned DILATION_ROWS = 1,
    parameter int unsigned DILATION_COLUMNS = 1,
    parameter int unsigned PLACE_ROWS = 1,
    parameter int unsigned PLACE_COLUMNS = 1,
    parameter int unsigned PE = 1,
    parameter int unsigned IN_BITS = 8,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned IN_KIND = 0,
    /// Whether the largest is sought, not the sum; then both types are the same.
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
    localparam int unsigned WORDS = CHANNELS / PE;
    localparam int unsigned KEPT = PLACE_COLUMNS * WORDS;
    localparam int unsigned WORD_BITS = WORDS > 1 ? unsigned'($clog2(WORDS)) : 1;
    localparam int unsigned KEPT_BITS = KEPT > 1 ? unsigned'($clog2(KEPT)) : 1;

    logic [WORD_BITS-1:0] word;
    // Where the results of the present place begin, and the present one.
    logic [KEPT_BITS-1:0] first, at;
    wire row_seen, row_first, row_last, row_passes, row_ends;
    wire column_seen, column_first, column_last, column_passes, column_ends;

    wire seen = row_seen && column_seen;
    wire makes = seen && row_last && column_last;
    wire room;
    wire step = in_valid && (room || !makes);
    assign in_ready = room || !makes;

    wire last_word = word == WORD_BITS'(WORDS - 1);
    wire next_column = step && last_word;
    wire next_row = next_column && column_ends;
    finnp_tap #(
        .SIZE(COLUMNS), .KERNEL(KERNEL_COLUMNS), .STRIDE(STRIDE_COLUMNS), .DILATION(DILATION_COLUMNS),
        .PLACES(PLACE_COLUMNS)
    ) column (
        .clk, .rst, .next(next_column), .seen(column_seen), .first(column_first), .last(column_last),
        .passes(column_passes), .ends(column_ends)
    );
    finnp_tap #(
        .SIZE(ROWS), .KERNEL(KERNEL_ROWS), .STRIDE(STRIDE_ROWS), .DILATION(DILATION_ROWS), .PLACES(PLACE_ROWS)
    ) row (
        .clk, .rst, .next(next_row), .seen(row_seen), .first(row_first), .last(row_last),
        .passes(row_passes), .ends(row_ends)
    );
    wire unused = &{1'b0, row_passes, row_ends};

    always_ff @(posedge clk) begin
        if (step) begin
            word <= last_word ? '0 : word + 1'b1;
            at <= last_word && !column_passes ? first : at + 1'b1;
            if (last_word && column_passes) first <= at + 1'b1;
        end
        if (rst || next_row) begin
            at <= '0;
            first <= '0;
        end
        if (rst) word <= '0;
    end

    // One cycle later: the word, and what grew along the row of the kernel.
    logic valid, along_first, along_last, down_first, down_last;
    logic [KEPT_BITS-1:0] down_at;
    logic [PE*IN_BITS-1:0] data;
    always_ff @(posedge clk) begin
        valid <= step && seen && !rst;
        along_first <= column_first;
        along_last <= column_last;
        down_first <= row_first;
        down_last <= row_last;
        down_at <= at;
        data <= in_data;
    end

    wire [PE*OUT_BITS-1:0] values, along, down;
    for (genvar p = 0; p < PE; p++) begin : g_value
        if (LARGEST) begin : g_code
            assign values[p*OUT_BITS+:OUT_BITS] = data[p*IN_BITS+:IN_BITS];
        end else begin : g_number
            finnp_value #(.IN_BITS(IN_BITS), .IN_KIND(IN_KIND), .OUT_BITS(OUT_BITS)) decode (
                .code(data[p*IN_BITS+:IN_BITS]), .value(values[p*OUT_BITS+:OUT_BITS])
            );
        end
    end
    finnp_running #(.PE(PE), .BITS(OUT_BITS), .WORDS(WORDS), .LARGEST(LARGEST), .SIGNED(IN_KIND == 1)) row_results (
        .clk, .at(word), .valid, .first(along_first), .values, .results(along)
    );

    // Another cycle later: what grew from row to row.
    logic down_valid, down_begins, down_makes, push;
    always_ff @(posedge clk) begin
        down_valid <= valid && along_last && !rst;
        down_begins <= down_first;
        down_makes <= down_last;
        push <= down_valid && down_makes && !rst;
    end
    finnp_running #(.PE(PE), .BITS(OUT_BITS), .WORDS(KEPT), .LARGEST(LARGEST), .SIGNED(IN_KIND == 1)) place_results (
        .clk, .at(down_at), .valid(down_valid), .first(down_begins), .values(along), .results(down)
    );

    finnp_fifo #(.WIDTH(PE * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(step && makes), .push, .push_data(down), .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
