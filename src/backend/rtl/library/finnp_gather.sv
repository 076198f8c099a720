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
        logic [LEFT-1:0][PE-1:0][BITS-1:0] nodes;
        if (i == 0) begin : g_values
            assign nodes = values;
        end else begin : g_nodes
            localparam int unsigned BEFORE = left(i - 1);
            logic [LEFT-1:0][PE-1:0][BITS-1:0] next;
            always_comb begin
                for (int unsigned n = 0; n < LEFT; n++) begin
                    next[n] = g_level[i-1].nodes[4*n];
                    for (int unsigned k = 1; k < 4; k++) begin
                        for (int unsigned p = 0; p < PE; p++) begin
                            if (4 * n + k < BEFORE) next[n][p] = both(next[n][p], g_level[i-1].nodes[4*n+k][p]);
                        end
                    end
                end
            end
            always_ff @(posedge clk) nodes <= next;
        end
    end
    assign results = g_level[LEVELS].nodes;
    if (LEVELS == 0) begin : g_wire
        wire unused = &{1'b0, clk};
    end
endmodule

`default_nettype wire
