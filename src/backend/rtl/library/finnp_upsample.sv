// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// A picture with more pixels: each is repeated to its right and below it, or followed there by a constant.
//
// A word is taken where its pixel is made for the first time. Where pixels are repeated it is kept: in a memory of a
// row of the picture, or of a pixel if rows are not repeated.
`default_nettype none

module finnp_upsample #(
    parameter int unsigned PE = 1,
    /// Words of a pixel.
    parameter int unsigned WORDS = 1,
    /// The picture that arrives.
    parameter int unsigned ROWS = 1,
    parameter int unsigned COLUMNS = 1,
    /// Rows and columns for each that arrives.
    parameter int unsigned ROW_FACTOR = 1,
    parameter int unsigned COLUMN_FACTOR = 1,
    /// Whether the constant FILL follows a pixel; then there is nothing behind the last row and column.
    parameter bit FILLED = 1'b0,
    parameter longint FILL = 0,
    parameter int unsigned IN_BITS = 8,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned IN_KIND = 0,
    parameter int unsigned OUT_BITS = 8,
    parameter int unsigned OUT_KIND = 0,
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
    localparam int unsigned KEPT = ROW_FACTOR > 1 ? COLUMNS * WORDS : WORDS;
    localparam int unsigned AT_BITS = KEPT > 1 ? unsigned'($clog2(KEPT)) : 1;
    localparam int unsigned WORD_BITS = WORDS > 1 ? unsigned'($clog2(WORDS)) : 1;
    localparam int unsigned ROW_BITS = ROWS > 1 ? unsigned'($clog2(ROWS)) : 1;
    localparam int unsigned COLUMN_BITS = COLUMNS > 1 ? unsigned'($clog2(COLUMNS)) : 1;
    localparam int unsigned DOWN_BITS = ROW_FACTOR > 1 ? unsigned'($clog2(ROW_FACTOR)) : 1;
    localparam int unsigned RIGHT_BITS = COLUMN_FACTOR > 1 ? unsigned'($clog2(COLUMN_FACTOR)) : 1;

    // The pixel that arrived, how far to the right of it and below it the one that leaves is, and its word.
    logic [ROW_BITS-1:0] row;
    logic [COLUMN_BITS-1:0] column;
    logic [DOWN_BITS-1:0] down;
    logic [RIGHT_BITS-1:0] right;
    logic [WORD_BITS-1:0] word;

    wire last_word = word == WORD_BITS'(WORDS - 1);
    wire last_column = column == COLUMN_BITS'(COLUMNS - 1);
    wire last_row = row == ROW_BITS'(ROWS - 1);
    wire last_right = right == RIGHT_BITS'(COLUMN_FACTOR - 1) || (FILLED && last_column);
    wire last_down = down == DOWN_BITS'(ROW_FACTOR - 1) || (FILLED && last_row);

    wire arrives = right == 0 && down == 0;
    wire room;
    wire step = room && (in_valid || !arrives);
    assign in_ready = room && arrives;

    wire next_pixel = step && last_word;
    wire next_column = next_pixel && last_right;
    wire next_row = next_column && last_column;
    always_ff @(posedge clk) begin
        if (step) word <= last_word ? '0 : word + 1'b1;
        if (next_pixel) right <= last_right ? '0 : right + 1'b1;
        if (next_column) column <= last_column ? '0 : column + 1'b1;
        if (next_row) down <= last_down ? '0 : down + 1'b1;
        if (next_row && last_down) row <= last_row ? '0 : row + 1'b1;
        if (rst) begin
            word <= '0;
            right <= '0;
            column <= '0;
            down <= '0;
            row <= '0;
        end
    end

    wire [PE*IN_BITS-1:0] made;
    wire [PE*OUT_BITS-1:0] codes;
    logic arrived;
    logic [PE*IN_BITS-1:0] taken;
    always_ff @(posedge clk) begin
        arrived <= arrives;
        taken <= in_data;
    end

    for (genvar p = 0; p < PE; p++) begin : g_element
        finnp_convert #(
            .IN_BITS(IN_BITS), .IN_KIND(IN_KIND), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND)
        ) convert (.in(made[p*IN_BITS+:IN_BITS]), .out(codes[p*OUT_BITS+:OUT_BITS]));
    end

    logic [PE*OUT_BITS-1:0] result;
    if (FILLED) begin : g_filled
        assign made = taken;
        localparam logic [OUT_BITS-1:0] CODE = OUT_KIND == 2 ? OUT_BITS'(FILL > 0) : OUT_BITS'(unsigned'(FILL));
        always_ff @(posedge clk) result <= arrived ? codes : {PE{CODE}};
    end else begin : g_repeated
        // Where the pixel and the word are kept.
        logic [AT_BITS-1:0] first, at;
        always_ff @(posedge clk) begin
            if (step) at <= at + 1'b1;
            if (next_pixel) begin
                at <= first;
                if (last_right && ROW_FACTOR > 1) begin
                    at <= last_column ? '0 : at + 1'b1;
                    first <= last_column ? '0 : at + 1'b1;
                end
            end
            if (rst) begin
                at <= '0;
                first <= '0;
            end
        end

        wire [PE*IN_BITS-1:0] kept;
        finnp_bank #(.WIDTH(PE * IN_BITS), .WORDS(KEPT)) storage (
            .clk, .write(step && arrives), .write_at(at), .write_data(in_data), .read_at(at), .read_data(kept)
        );
        assign made = arrived ? taken : kept;
        always_ff @(posedge clk) result <= codes;
    end

    wire push;
    finnp_delay #(.CYCLES(2), .CLEARED(1'b1)) push_delay (.clk, .rst, .in(step), .out(push));
    finnp_fifo #(.WIDTH(PE * OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(step), .push, .push_data(result), .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
