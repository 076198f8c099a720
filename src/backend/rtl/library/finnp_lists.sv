// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The lists of what a sparse unit keeps: STEPS lines each, and each is read for SHARING words of a pixel. The last one
// may be needed less often. An index is there two cycles after its step.
`default_nettype none

module finnp_lists #(
    parameter int unsigned WIDTH = 1,
    /// Steps of a word.
    parameter int unsigned STEPS = 1,
    /// Words made of a pixel.
    parameter int unsigned FOLDS = 1,
    parameter int unsigned SHARING = 1,
    parameter FILE = ""
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             step,
    /// Whether the step is the last one of its word.
    input  wire             last,
    /// A step is made that is the last one of its pixel.
    input  wire             done,
    output wire [WIDTH-1:0] index
);
    localparam int unsigned LISTS = (FOLDS + SHARING - 1) / SHARING;
    localparam int unsigned LINES = LISTS * STEPS;
    localparam int unsigned AT_BITS = LINES > 1 ? unsigned'($clog2(LINES)) : 1;
    wire [AT_BITS-1:0] at;

    if (LISTS == 1 || SHARING == 1) begin : g_all
        // Every line in its turn.
        wire line_last;
        finnp_counter #(.COUNT(LINES)) line (.clk, .rst, .step, .at, .last(line_last));
        wire unused = &{1'b0, last, done, line_last};
    end else begin : g_shared
        wire [$clog2(SHARING)-1:0] share;
        wire share_last;
        finnp_counter #(.COUNT(SHARING)) share_counter (
            .clk, .rst(rst || done), .step(step && last), .at(share), .last(share_last)
        );
        // The line, and the first one of the present list.
        logic [AT_BITS-1:0] line, list;
        wire [AT_BITS-1:0] next = line + 1'b1;
        always_ff @(posedge clk) begin
            if (step) line <= last && !share_last ? list : next;
            if (step && last && share_last) list <= next;
            if (rst || done) begin
                line <= '0;
                list <= '0;
            end
        end
        assign at = line;
        wire unused = &{1'b0, share};
    end

    finnp_rom #(.WIDTH(WIDTH), .WORDS(LINES), .FILE(FILE)) rom (.clk, .at, .data(index));
endmodule

`default_nettype wire
