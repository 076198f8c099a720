// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The product of an input and a weight, without registers. Small ones are looked up; where a factor has only a sign
// the other one is taken or negated; else it is a multiplication.
`default_nettype none

module finnp_product #(
    parameter int unsigned X_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned X_KIND = 0,
    parameter int unsigned W_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar, 3 ternary.
    parameter int unsigned W_KIND = 1,
    /// As `finnp_dot` has it: two's complement, but unsigned where no product is negative.
    parameter int unsigned BITS = 2
) (
    input  wire [X_BITS-1:0] x,
    input  wire [W_BITS-1:0] w,
    /// Without it the product is 0; of effect only where weights are bipolar, which have no 0 of their own.
    input  wire              keep,
    output wire [BITS-1:0]   product
);
    if (X_KIND == 2 && W_KIND == 2) begin : g_agree
        // Whether they agree; who adds these up knows how many they are.
        assign product = BITS'(keep && (x[0] == w[0]));
    end else if (X_BITS + W_BITS <= 6) begin : g_table
        // Six bits are one look-up table for each bit of the product.
        localparam int CODES = 1 << (X_BITS + W_BITS);
        wire [CODES-1:0][BITS-1:0] products;
        for (genvar code = 0; code < CODES; code++) begin : g_code
            localparam int X_CODE = code % (1 << X_BITS);
            localparam int W_CODE = code / (1 << X_BITS);
            localparam int X =
                X_KIND == 2                                     ? 2 * X_CODE - 1
                : X_KIND == 1 && X_CODE >= (1 << (X_BITS - 1)) ? X_CODE - (1 << X_BITS)
                                                                : X_CODE;
            localparam int W =
                W_KIND == 2                                     ? 2 * W_CODE - 1
                : W_KIND != 0 && W_CODE >= (1 << (W_BITS - 1)) ? W_CODE - (1 << W_BITS)
                                                                : W_CODE;
            assign products[code] = BITS'(unsigned'(X * W));
        end
        assign product = W_KIND == 2 && !keep ? '0 : products[{w, x}];
    end else if (W_KIND >= 2) begin : g_sign_of_weight
        wire [BITS-1:0] value = X_KIND == 0 ? BITS'(x) : unsigned'(BITS'(signed'(x)));
        wire nonzero = W_KIND == 2 ? keep : w[0];
        wire negative = W_KIND == 2 ? !w[0] : w[W_BITS-1];
        // Minus is the complement and one.
        assign product = ((value ^ {BITS{negative}}) & {BITS{nonzero}}) + BITS'(negative && nonzero);
    end else if (X_KIND == 2) begin : g_sign_of_input
        wire [BITS-1:0] value = W_KIND == 0 ? BITS'(w) : unsigned'(BITS'(signed'(w)));
        assign product = (value ^ {BITS{!x[0]}}) + BITS'(!x[0]);
    end else begin : g_multiply
        wire signed [BITS-1:0] a = X_KIND == 0 ? signed'(BITS'(x)) : BITS'(signed'(x));
        wire signed [BITS-1:0] b = W_KIND == 0 ? signed'(BITS'(w)) : BITS'(signed'(w));
        assign product = unsigned'(a * b);
    end

    wire unused = &{1'b0, x, w, keep};
endmodule

`default_nettype wire
