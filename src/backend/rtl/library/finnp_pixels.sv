// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Two banks for the words of pixels: the words of one pixel are read, in their order and FOLDS times, while the next
// one arrives.
`default_nettype none

module finnp_pixels #(
    parameter int unsigned WIDTH = 8,
    /// Words of a pixel.
    parameter int unsigned WORDS = 2,
    /// How often each is read, at least twice.
    parameter int unsigned FOLDS = 2
) (
    input  wire             clk,
    input  wire             rst,
    input  wire             in_valid,
    output wire             in_ready,
    input  wire [WIDTH-1:0] in_data,
    /// Without it the last word of a pixel is not read.
    input  wire             room,
    /// A word is read, and whether it is the last one of the pixel.
    output wire             step,
    output wire             last,
    /// The word, two cycles after the step.
    output wire [WIDTH-1:0] inputs
);
    localparam int unsigned AT_BITS = unsigned'($clog2(2 * WORDS));

    // Banks lie behind each other, so that words are written one after the other.
    logic [AT_BITS-1:0] write_at, read_at;
    // Pixels that have arrived and are not done. What one side does in a cycle, the other one sees in the next.
    logic [1:0] ahead;
    logic second;

    wire take = in_valid && in_ready;
    assign in_ready = !ahead[1];
    // While a pixel arrives, its words may be read up to the one that comes next.
    wire arrived = ahead != 0 || write_at != read_at;
    assign step = arrived && (room || !last);

    wire [(WORDS > 1 ? $clog2(WORDS) : 1)-1:0] taken, depth;
    wire [$clog2(FOLDS)-1:0] fold;
    wire taken_last, fold_last;
    finnp_counter #(.COUNT(WORDS)) taken_counter (.clk, .rst, .step(take), .at(taken), .last(taken_last));
    finnp_counter #(.COUNT(WORDS)) depth_counter (.clk, .rst, .step, .at(depth), .last);
    finnp_counter #(.COUNT(FOLDS)) fold_counter (.clk, .rst, .step(step && last), .at(fold), .last(fold_last));
    wire unused = &{1'b0, taken, depth, fold};

    wire arrives = take && taken_last;
    wire done = step && last && fold_last;

    always_ff @(posedge clk) begin
        if (take) write_at <= write_at == AT_BITS'(2 * WORDS - 1) ? '0 : write_at + 1'b1;
        // Back to the beginning of the bank, or on to the other one.
        if (done) second <= !second;
        if (step) begin
            if (!last) read_at <= read_at + 1'b1;
            else read_at <= second != fold_last ? AT_BITS'(WORDS) : '0;
        end
        if (arrives != done) ahead <= arrives ? ahead + 1'b1 : ahead - 1'b1;
        if (rst) begin
            write_at <= '0;
            read_at <= '0;
            ahead <= '0;
            second <= 1'b0;
        end
    end

    wire [WIDTH-1:0] word;
    finnp_bank #(.WIDTH(WIDTH), .WORDS(2 * WORDS)) banks (
        .clk, .write(take), .write_at, .write_data(in_data), .read_at, .read_data(word)
    );
    finnp_delay #(.WIDTH(WIDTH), .CYCLES(1)) word_delay (.clk, .rst, .in(word), .out(inputs));
endmodule

`default_nettype wire
