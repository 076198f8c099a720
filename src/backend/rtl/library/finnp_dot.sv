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
    // Of wider products only the bits count that the sum has.
    localparam int unsigned BITS = PRODUCT_BITS < SUM_BITS ? PRODUCT_BITS : SUM_BITS;

    wire [SIMD*BITS-1:0] products;
    logic [SIMD*BITS-1:0] held;
    for (genvar s = 0; s < SIMD; s++) begin : g_lane
        finnp_product #(
            .X_BITS(X_BITS), .X_KIND(X_KIND), .W_BITS(W_BITS), .W_KIND(W_KIND), .BITS(BITS)
        ) multiply (
            .x(inputs[s*X_BITS+:X_BITS]), .w(weights[s*W_BITS+:W_BITS]), .keep(keep[s]),
            .product(products[s*BITS+:BITS])
        );
    end
    always_ff @(posedge clk) held <= products;
    finnp_tree #(.COUNT(SIMD), .IN_BITS(BITS), .IN_SIGNED(SIGNED), .OUT_BITS(SUM_BITS)) tree (
        .clk, .terms(held), .sum
    );
endmodule

`default_nettype wire
