// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The product of an input and a weight, without registers. Small ones are looked up, whole or in parts; where a factor
// has only a sign the other one is taken or negated; else it is a multiplication.
`default_nettype none

module finnp_product #(
    parameter int unsigned X_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned X_KIND = 0,
    parameter int unsigned W_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar, 3 ternary.
    parameter int unsigned W_KIND = 1,
    /// Two's complement, but unsigned where no product is negative. Fewer than a product has are its lowest ones.
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
        wire [BITS-1:0] found;
        finnp_product_table #(
            .X_BITS(X_BITS), .X_KIND(X_KIND), .W_BITS(W_BITS), .W_KIND(W_KIND), .BITS(BITS)
        ) lookup (.x, .w, .product(found));
        assign product = W_KIND == 2 && !keep ? '0 : found;
    end else if (W_KIND >= 2) begin : g_sign_of_weight
        wire [BITS-1:0] value = X_KIND == 0 ? BITS'(x) : unsigned'(BITS'(signed'(x)));
        wire nonzero = W_KIND == 2 ? keep : w[0];
        wire negative = W_KIND == 2 ? !w[0] : w[W_BITS-1];
        // Minus is the complement and one.
        assign product = ((value ^ {BITS{negative}}) & {BITS{nonzero}}) + BITS'(negative && nonzero);
    end else if (X_KIND == 2) begin : g_sign_of_input
        wire [BITS-1:0] value = W_KIND == 0 ? BITS'(w) : unsigned'(BITS'(signed'(w)));
        assign product = (value ^ {BITS{!x[0]}}) + BITS'(!x[0]);
    end else if (X_BITS <= 4 || W_BITS <= 4) begin : g_parts
        // The wider factor is cut so that each part and the narrow factor can be looked up; shorter than rows of ANDs.
        localparam bit X_WIDE = X_BITS > W_BITS;
        localparam int unsigned NARROW_BITS = X_WIDE ? W_BITS : X_BITS;
        localparam int unsigned NARROW_KIND = X_WIDE ? W_KIND : X_KIND;
        localparam int unsigned WIDE_BITS = X_WIDE ? X_BITS : W_BITS;
        localparam int unsigned WIDE_KIND = X_WIDE ? X_KIND : W_KIND;
        localparam int unsigned CUT = 6 - NARROW_BITS;
        localparam int unsigned PARTS = (WIDE_BITS + CUT - 1) / CUT;
        wire [NARROW_BITS-1:0] narrow;
        wire [WIDE_BITS-1:0] wide;
        if (X_WIDE) begin : g_x_wide
            assign narrow = w;
            assign wide = x;
        end else begin : g_w_wide
            assign narrow = x;
            assign wide = w;
        end
        for (genvar i = 0; i < PARTS; i++) begin : g_part
            // Only the highest part has a sign.
            localparam int unsigned KIND = i == PARTS - 1 ? WIDE_KIND : 0;
            localparam int unsigned PART_BITS = i == PARTS - 1 ? WIDE_BITS - i * CUT : CUT;
            localparam int unsigned ROW_BITS = NARROW_BITS + PART_BITS < BITS ? NARROW_BITS + PART_BITS : BITS;
            wire [ROW_BITS-1:0] row;
            finnp_product_table #(
                .X_BITS(NARROW_BITS), .X_KIND(NARROW_KIND), .W_BITS(PART_BITS), .W_KIND(KIND), .BITS(ROW_BITS)
            ) lookup (.x(narrow), .w(wide[i*CUT+:PART_BITS]), .product(row));
            wire [BITS-1:0] term =
                NARROW_KIND != 0 || KIND != 0 ? unsigned'(BITS'(signed'(row))) : BITS'(row);
            wire [BITS-1:0] sum;
            if (i == 0) begin : g_first
                assign sum = term;
            end else begin : g_next
                assign sum = g_part[i-1].sum + (term << (i * CUT));
            end
        end
        assign product = g_part[PARTS-1].sum;
    end else begin : g_multiply
        wire signed [BITS-1:0] a = X_KIND == 0 ? signed'(BITS'(x)) : BITS'(signed'(x));
        wire signed [BITS-1:0] b = W_KIND == 0 ? signed'(BITS'(w)) : BITS'(signed'(w));
        assign product = unsigned'(a * b);
    end

    wire unused = &{1'b0, x, w, keep};
endmodule

`default_nettype wire
