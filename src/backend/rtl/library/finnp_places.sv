// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Places of words, one after the other: BLOCKS blocks of BLOCK words, STRIDE from the beginning of each to that of
// the next one.
`default_nettype none

module finnp_places #(
    parameter int unsigned BLOCK = 1,
    parameter int unsigned BLOCKS = 2,
    parameter int unsigned STRIDE = 1,
    parameter int unsigned AT_BITS = 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               step,
    output wire [AT_BITS-1:0] at,
    /// The last word of the last block.
    output wire               last
);
    if (STRIDE == BLOCK) begin : g_dense
        localparam int unsigned WORDS = BLOCK * BLOCKS;
        wire [(WORDS > 1 ? $clog2(WORDS) : 1)-1:0] count;
        finnp_counter #(.COUNT(WORDS)) place_counter (.clk, .rst, .step, .at(count), .last);
        assign at = AT_BITS'(count);
    end else if (STRIDE == 1 << $clog2(STRIDE)) begin : g_beside
        wire [(BLOCK > 1 ? $clog2(BLOCK) : 1)-1:0] place_in_block;
        wire [(BLOCKS > 1 ? $clog2(BLOCKS) : 1)-1:0] block;
        wire block_ends, block_last;
        finnp_counter #(.COUNT(BLOCK)) place_counter (.clk, .rst, .step, .at(place_in_block), .last(block_ends));
        finnp_counter #(.COUNT(BLOCKS)) block_counter (
            .clk, .rst, .step(step && block_ends), .at(block), .last(block_last)
        );
        assign at = AT_BITS'(block) << $clog2(STRIDE) | AT_BITS'(place_in_block);
        assign last = block_ends && block_last;
    end else begin : g_added
        // Blocks are one word here: only those who read know of blocks that are no power of two.
        wire [(BLOCKS > 1 ? $clog2(BLOCKS) : 1)-1:0] block;
        finnp_counter #(.COUNT(BLOCKS)) block_counter (.clk, .rst, .step, .at(block), .last);
        logic [AT_BITS-1:0] place;
        always_ff @(posedge clk) begin
            if (step) place <= last ? '0 : place + AT_BITS'(STRIDE);
            if (rst) place <= '0;
        end
        assign at = place;
        wire unused = &{1'b0, block};
    end
endmodule

`default_nettype wire
