// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The sum of SIMD products: a register after the products, and one after every addition of four to one. What enters
// in one cycle leaves 1 + ceil(log4(SIMD)) cycles later.
`default_nettype none

module finnp_dot #(
    parameter int unsigned SIMD = 1,
    parameter int unsigned X_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned X_KIND = 0,
    parameter int unsigned W_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar, 3 ternary.
    parameter int unsigned W_KIND = 1,
    /// Bits of the result, two's complement; sums within are no wider than they need to be.
    parameter int unsigned SUM_BITS = 8
) (
    input  wire                   clk,
    input  wire [SIMD*X_BITS-1:0] inputs,
    input  wire [SIMD*W_BITS-1:0] weights,
    /// Lanes that count, of effect only where weights are bipolar: other padding has weight 0.
    input  wire [SIMD-1:0]        keep,
    /// Where both are bipolar, the number of products that are +1.
    output wire [SUM_BITS-1:0]    sum
);
    localparam bit AGREE = X_KIND == 2 && W_KIND == 2;
    localparam bit SIGNED = !AGREE && (X_KIND != 0 || W_KIND != 0);
    localparam int unsigned PRODUCT_BITS =
        AGREE                          ? 1
        : X_KIND == 2 && W_KIND == 3   ? 2
        : X_KIND == 2                  ? W_BITS + 1
        : W_KIND >= 2                  ? X_BITS + 1
                                       : X_BITS + W_BITS;
    localparam int unsigned LEVELS = ($clog2(SIMD) + 1) / 2;

    // Bits that the sum of so many products takes.
    function automatic int unsigned bits_of(input int unsigned products);
        bits_of = AGREE ? unsigned'($clog2(products + 1)) : PRODUCT_BITS + unsigned'($clog2(products));
        if (bits_of > SUM_BITS) bits_of = SUM_BITS;
    endfunction

    for (genvar l = 0; l <= LEVELS; l++) begin : g_level
        // Each sum of this level covers so many products, the last one what is left.
        localparam int unsigned COVERS = (1 << (2 * l)) < SIMD ? 1 << (2 * l) : SIMD;
        localparam int unsigned COUNT = (SIMD + (1 << (2 * l)) - 1) >> (2 * l);
        localparam int unsigned BITS = bits_of(COVERS);
        wire [COUNT*BITS-1:0] sums;

        if (l == 0) begin : g_products
            for (genvar s = 0; s < SIMD; s++) begin : g_lane
                wire [BITS-1:0] product;
                finnp_product #(
                    .X_BITS(X_BITS), .X_KIND(X_KIND), .W_BITS(W_BITS), .W_KIND(W_KIND), .BITS(BITS)
                ) multiply (
                    .x(inputs[s*X_BITS+:X_BITS]), .w(weights[s*W_BITS+:W_BITS]), .keep(keep[s]), .product
                );
                logic [BITS-1:0] held;
                always_ff @(posedge clk) held <= product;
                assign sums[s*BITS+:BITS] = held;
            end
        end else begin : g_sums
            localparam int unsigned BELOW = (SIMD + (1 << (2 * l - 2)) - 1) >> (2 * l - 2);
            localparam int unsigned BELOW_BITS = bits_of((1 << (2 * l - 2)) < SIMD ? 1 << (2 * l - 2) : SIMD);
            for (genvar i = 0; i < COUNT; i++) begin : g_sum
                wire [3:0][BITS-1:0] terms;
                for (genvar t = 0; t < 4; t++) begin : g_term
                    localparam int unsigned AT = unsigned'(4 * i + t);
                    if (AT >= BELOW) begin : g_none
                        assign terms[t] = '0;
                    end else if (SIGNED) begin : g_signed
                        wire signed [BELOW_BITS-1:0] term =
                            signed'(g_level[l-1].sums[AT*BELOW_BITS+:BELOW_BITS]);
                        assign terms[t] = unsigned'(BITS'(term));
                    end else begin : g_unsigned
                        assign terms[t] = BITS'(g_level[l-1].sums[AT*BELOW_BITS+:BELOW_BITS]);
                    end
                end
                logic [BITS-1:0] held;
                always_ff @(posedge clk) held <= (terms[0] + terms[1]) + (terms[2] + terms[3]);
                assign sums[i*BITS+:BITS] = held;
            end
        end
    end

    if (SIGNED) begin : g_signed
        assign sum = unsigned'(SUM_BITS'(signed'(g_level[LEVELS].sums)));
    end else begin : g_unsigned
        assign sum = SUM_BITS'(g_level[LEVELS].sums);
    end
endmodule

`default_nettype wire
