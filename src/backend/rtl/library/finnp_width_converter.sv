// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The same elements, another number of elements per word. A step takes a word where the next one to be made lacks
// elements, and makes one where it then does not. Padding behind the last element of a pixel is dropped.
`default_nettype none

module finnp_width_converter #(
    /// Bits of an element.
    parameter int unsigned BITS = 8,
    /// Elements of a pixel, of an input word, of an output word.
    parameter int unsigned CHANNELS = 1,
    parameter int unsigned FROM = 1,
    parameter int unsigned TO = 1,
    parameter int unsigned DEPTH = 2
) (
    input  wire                 clk,
    input  wire                 rst,
    input  wire                 in_valid,
    output wire                 in_ready,
    input  wire [FROM*BITS-1:0] in_data,
    output wire                 out_valid,
    input  wire                 out_ready,
    output wire [TO*BITS-1:0]   out_data
);
    function automatic int unsigned common_divisor(int unsigned a, int unsigned b);
        int unsigned rest;
        common_divisor = a;
        while (b != 0) begin
            rest = common_divisor % b;
            common_divisor = b;
            b = rest;
        end
    endfunction

    // A unit is the largest group of elements that both words consist of: nothing is ever shifted by less, and a
    // whole ratio needs no shifter at all.
    localparam int unsigned UNIT = common_divisor(FROM, TO);
    localparam int unsigned UNIT_BITS = UNIT * BITS;
    localparam int unsigned IN_UNITS = FROM / UNIT;
    localparam int unsigned OUT_UNITS = TO / UNIT;
    localparam int unsigned SLOTS = OUT_UNITS - 1 + IN_UNITS;
    localparam int unsigned HELD_BITS = unsigned'($clog2(SLOTS + 1));
    localparam int unsigned WORDS = (CHANNELS + FROM - 1) / FROM;
    localparam int unsigned COUNT_BITS = WORDS > 1 ? unsigned'($clog2(WORDS)) : 1;
    // Units of a pixel's last word.
    localparam int unsigned LAST_UNITS = (CHANNELS - (WORDS - 1) * FROM + UNIT - 1) / UNIT;

    // Units that are held of the pixel, words of it that have arrived, and whether all have.
    logic [HELD_BITS-1:0] held;
    logic [COUNT_BITS-1:0] arrived;
    logic complete;

    wire takes = held < HELD_BITS'(OUT_UNITS) && !complete;
    wire completes = arrived == COUNT_BITS'(WORDS - 1);
    wire [HELD_BITS-1:0] more = completes ? HELD_BITS'(LAST_UNITS) : HELD_BITS'(IN_UNITS);
    wire [HELD_BITS-1:0] available = takes ? held + more : held;
    wire all = complete || (takes && completes);
    wire makes = available >= HELD_BITS'(OUT_UNITS) || all;
    wire fits;
    if (IN_UNITS == 1) begin : g_one
        assign fits = 1'b1;
    end else begin : g_several
        assign fits = available <= HELD_BITS'(OUT_UNITS);
    end
    wire ends = all && fits;
    wire room;
    wire step = (in_valid || !takes) && (room || !makes);
    assign in_ready = takes && (room || !makes);

    // What a step made leaves in the next cycle, from the lowest slots; only then do the others move down.
    logic push;
    always_ff @(posedge clk) begin
        if (step) begin
            held <= makes ? available - HELD_BITS'(OUT_UNITS) : available;
            complete <= all;
            if (takes) arrived <= arrived + 1'b1;
            if (ends) begin
                held <= '0;
                complete <= 1'b0;
                arrived <= '0;
            end
        end
        push <= step && makes;
        if (rst) begin
            held <= '0;
            complete <= 1'b0;
            arrived <= '0;
            push <= 1'b0;
        end
    end

    logic [SLOTS-1:0][UNIT_BITS-1:0] slots, moved;
    if (SLOTS > OUT_UNITS) begin : g_rest
        assign moved = push ? {slots[SLOTS-1-:OUT_UNITS], slots[SLOTS-1:OUT_UNITS]} : slots;
    end else begin : g_none
        assign moved = slots;
    end

    for (genvar k = 0; k < SLOTS; k++) begin : g_slot
        always_ff @(posedge clk) begin
            slots[k] <= moved[k];
            for (int unsigned u = 0; u < IN_UNITS; u++) begin
                if (takes && u <= k && held == HELD_BITS'(k - u)) slots[k] <= in_data[u*UNIT_BITS+:UNIT_BITS];
            end
        end
    end

    finnp_fifo #(.WIDTH(TO * BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(step && makes), .push, .push_data(slots[OUT_UNITS-1:0]),
        .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
