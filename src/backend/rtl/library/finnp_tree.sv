// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The sum of COUNT numbers, a register after every addition of four: what enters in one cycle leaves ceil(log4(COUNT))
// cycles later.
`default_nettype none

module finnp_tree #(
    parameter int unsigned COUNT = 1,
    parameter int unsigned IN_BITS = 8,
    parameter bit IN_SIGNED = 1'b1,
    /// Bits of the result; sums within are no wider than they need to be.
    parameter int unsigned OUT_BITS = 8
) (
    input  wire                     clk,
    input  wire [COUNT*IN_BITS-1:0] terms,
    output wire [OUT_BITS-1:0]      sum
);
    localparam int unsigned LEVELS = (unsigned'($clog2(COUNT)) + 1) / 2;

    // Bits of the sum of so many terms.
    function automatic int unsigned bits_of(input int unsigned count);
        bits_of = IN_BITS + unsigned'($clog2(count));
        if (bits_of > OUT_BITS) bits_of = OUT_BITS;
    endfunction

    for (genvar l = 0; l <= LEVELS; l++) begin : g_level
        // Each sum of this level covers so many terms, the last one what is left.
        localparam int unsigned COVERS = (1 << (2 * l)) < COUNT ? 1 << (2 * l) : COUNT;
        localparam int unsigned SUMS = (COUNT + (1 << (2 * l)) - 1) >> (2 * l);
        localparam int unsigned BITS = bits_of(COVERS);
        wire [SUMS*BITS-1:0] sums;

        if (l == 0) begin : g_terms
            for (genvar i = 0; i < COUNT; i++) begin : g_term
                if (IN_SIGNED) begin : g_signed
                    assign sums[i*BITS+:BITS] = unsigned'(BITS'(signed'(terms[i*IN_BITS+:IN_BITS])));
                end else begin : g_unsigned
                    assign sums[i*BITS+:BITS] = BITS'(terms[i*IN_BITS+:IN_BITS]);
                end
            end
        end else begin : g_sums
            localparam int unsigned BELOW = (COUNT + (1 << (2 * l - 2)) - 1) >> (2 * l - 2);
            localparam int unsigned BELOW_BITS = bits_of((1 << (2 * l - 2)) < COUNT ? 1 << (2 * l - 2) : COUNT);
            for (genvar i = 0; i < SUMS; i++) begin : g_sum
                wire [3:0][BITS-1:0] four;
                for (genvar t = 0; t < 4; t++) begin : g_term
                    localparam int unsigned AT = unsigned'(4 * i + t);
                    if (AT >= BELOW) begin : g_none
                        assign four[t] = '0;
                    end else if (IN_SIGNED) begin : g_signed
                        assign four[t] = unsigned'(BITS'(signed'(
                            g_level[l-1].sums[AT*BELOW_BITS+:BELOW_BITS])));
                    end else begin : g_unsigned
                        assign four[t] = BITS'(g_level[l-1].sums[AT*BELOW_BITS+:BELOW_BITS]);
                    end
                end
                logic [BITS-1:0] held;
                always_ff @(posedge clk) held <= (four[0] + four[1]) + (four[2] + four[3]);
                assign sums[i*BITS+:BITS] = held;
            end
        end
    end

    if (LEVELS == 0) begin : g_none
        wire unused = clk;
    end

    if (IN_SIGNED) begin : g_signed
        assign sum = unsigned'(OUT_BITS'(signed'(g_level[LEVELS].sums)));
    end else begin : g_unsigned
        assign sum = OUT_BITS'(g_level[LEVELS].sums);
    end
endmodule

`default_nettype wire
