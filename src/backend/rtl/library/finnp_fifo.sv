// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The FIFO behind a layer, with the count of places that the layer may still reserve.
//
// A layer reserves a place in the cycle in which it begins to make a word, and pushes the word when its pipeline
// has made it. So nothing in the pipeline ever waits, and the FIFO cannot overflow.
`default_nettype none

module finnp_fifo #(
    parameter int unsigned WIDTH = 8,
    /// Words that may be reserved or held.
    parameter int unsigned DEPTH = 2
) (
    input  wire             clk,
    input  wire             rst,
    // In the cycle after `out_valid && out_ready` there is room again.
    output wire             room,
    input  wire             reserve,
    // A word that is pushed in one cycle can be read two cycles later.
    input  wire             push,
    input  wire [WIDTH-1:0] push_data,
    output wire             out_valid,
    input  wire             out_ready,
    output wire [WIDTH-1:0] out_data
);
    localparam int unsigned COUNT_BITS = unsigned'($clog2(DEPTH + 1));
    // One word is in the output register.
    localparam int unsigned WORDS = DEPTH > 2 ? DEPTH - 1 : 1;
    localparam int unsigned AT_BITS = WORDS > 1 ? unsigned'($clog2(WORDS)) : 1;

    logic [COUNT_BITS-1:0] free, stored;
    logic [AT_BITS-1:0] head, tail;
    logic [WIDTH-1:0] memory[0:WORDS-1];
    logic [WIDTH-1:0] first;
    logic first_valid;

    wire taken = first_valid && out_ready;
    wire load = stored != 0 && (!first_valid || out_ready);

    assign room = free != 0;
    assign out_valid = first_valid;
    assign out_data = first;

    always_ff @(posedge clk) begin
        if (push) memory[tail] <= push_data;
        if (load) first <= memory[head];
    end

    always_ff @(posedge clk) begin
        if (push) tail <= tail == AT_BITS'(WORDS - 1) ? '0 : tail + 1'b1;
        if (load) head <= head == AT_BITS'(WORDS - 1) ? '0 : head + 1'b1;
        if (push != load) stored <= push ? stored + 1'b1 : stored - 1'b1;
        if (reserve != taken) free <= reserve ? free - 1'b1 : free + 1'b1;
        if (load) first_valid <= 1'b1;
        else if (out_ready) first_valid <= 1'b0;
        if (rst) begin
            head <= '0;
            tail <= '0;
            stored <= '0;
            free <= COUNT_BITS'(DEPTH);
            first_valid <= 1'b0;
        end
    end
endmodule

`default_nettype wire
