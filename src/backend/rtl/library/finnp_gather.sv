// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// One result of COUNT values, their sum or the largest of them, for each of PE channels: a tree with a register after
// each level, which makes one of four.
`default_nettype none

module finnp_gather #(
    parameter int unsigned PE = 1,
    parameter int unsigned COUNT = 1,
    parameter int unsigned BITS = 8,
    /// Whether the largest is kept, and whether values are signed; else values are added.
    parameter bit LARGEST = 1'b0,
    parameter bit SIGNED = 1'b0
) (
    input  wire                     clk,
    /// Value by value, those of all channels.
    input  wire [COUNT*PE*BITS-1:0] values,
    output wire [PE*BITS-1:0]       results
);
    /// Values that are left after so many levels.
    function automatic int unsigned left(int unsigned level);
        left = COUNT;
        for (int unsigned i = 0; i < level; i++) left = (left + 3) / 4;
    endfunction

    function automatic int unsigned levels();
        levels = 0;
        for (int unsigned i = 0; i < 16; i++) if (left(i) > 1) levels = i + 1;
    endfunction

    function automatic logic [BITS-1:0] both(logic [BITS-1:0] a, logic [BITS-1:0] b);
        if (!LARGEST) both = a + b;
        else if (SIGNED) both = signed'(a) > signed'(b) ? a : b;
        else both = a > b ? a : b;
    endfunction

    localparam int unsigned LEVELS = levels();

    for (genvar i = 0; i <= LEVELS; i++) begin : g_level
        localparam int unsigned LEFT = left(i);
        wire [LEFT*PE*BITS-1:0] nodes;
        if (i == 0) begin : g_values
            assign nodes = values;
        end else begin : g_nodes
            localparam int unsigned BEFORE = left(i - 1);
            for (genvar n = 0; n < LEFT * PE; n++) begin : g_node
                // Of the four nodes below, those that exist.
                localparam int unsigned FIRST = n / PE * 4;
                localparam int unsigned HERE = BEFORE - FIRST < 4 ? BEFORE - FIRST : 4;
                logic [BITS-1:0] all, held;
                always_comb begin
                    all = g_level[i-1].nodes[(FIRST*PE+n%PE)*BITS+:BITS];
                    for (int unsigned k = 1; k < HERE; k++) begin
                        all = both(all, g_level[i-1].nodes[((FIRST+k)*PE+n%PE)*BITS+:BITS]);
                    end
                end
                always_ff @(posedge clk) held <= all;
                assign nodes[n*BITS+:BITS] = held;
            end
        end
    end
    assign results = g_level[LEVELS].nodes;
    if (LEVELS == 0) begin : g_wire
        wire unused = &{1'b0, clk};
    end
endmodule

`default_nettype wire
