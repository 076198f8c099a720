// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Sums of SIMD products for several rows that share their inputs, the products of up to ROWS rows in one multiplier
// for each column. What enters in one cycle leaves 5 + ceil(log4(SIMD)) cycles later.
//
// Row r's weight stands at bit r * S of the multiplier's operand, S = W_BITS + X_BITS - 1: one bit less than a product
// may need. So a product's highest bit lies on the next one's lowest bit, which is known: it is the product of the
// lowest bits of its factors. Where the two differ, what lies below is negative. With b[r] for that
//
//   product r = (bits S * r ..+ S) - 2^S * b[r + 1] + b[r]
//
// and b[0] = 0. The highest product has all its bits.
`default_nettype none

module finnp_packed_dot #(
    /// Rows in one multiplier: (ROWS - 1) * S + W_BITS < 27.
    parameter int unsigned ROWS = 4,
    parameter int unsigned SIMD = 1,
    parameter int unsigned X_BITS = 4,
    /// 0 unsigned, 1 signed.
    parameter int unsigned X_KIND = 0,
    /// Weights are two's complement.
    parameter int unsigned W_BITS = 4,
    /// Bits of a result, two's complement.
    parameter int unsigned SUM_BITS = 16
) (
    input  wire                        clk,
    input  wire [SIMD*X_BITS-1:0]      inputs,
    input  wire [ROWS*SIMD*W_BITS-1:0] weights,
    output wire [ROWS*SUM_BITS-1:0]    sums
);
    localparam int unsigned S = W_BITS + X_BITS - 1;
    localparam int unsigned PRODUCT_BITS = W_BITS + X_BITS;

    // By row: products less what lies below them, and whether that is negative.
    wire [ROWS*SIMD*PRODUCT_BITS-1:0] parts;
    wire [ROWS*SIMD-1:0] below;

    for (genvar s = 0; s < SIMD; s++) begin : g_column
        wire [X_BITS-1:0] x = inputs[s*X_BITS+:X_BITS];
        logic [26:0] high, low;
        logic [ROWS-1:0] odd;
        wire [17:0] factor = X_KIND == 1 ? unsigned'(18'(signed'(x))) : 18'(x);
        wire [47:0] p;
        wire [ROWS-1:0] lowest;

        // A weight is what its lower bits say, less its highest one: so no adder is needed to line them up.
        always_comb begin
            high = '0;
            low = '0;
            for (int unsigned r = 0; r < ROWS; r++) begin
                low[r*S+:W_BITS] = weights[(r*SIMD+s)*W_BITS+:W_BITS];
                low[r*S+W_BITS-1] = 1'b0;
                high[r*S+W_BITS-1] = weights[(r*SIMD+s)*W_BITS+W_BITS-1];
                odd[r] = weights[(r*SIMD+s)*W_BITS] && x[0];
            end
        end

        finnp_dsp dsp (.clk, .d(low), .a(high), .b(factor), .p);
        finnp_delay #(.WIDTH(ROWS), .CYCLES(4)) odd_delay (.clk, .rst(1'b0), .in(odd), .out(lowest));
        wire unused = &{1'b0, p[47:(ROWS-1)*S+PRODUCT_BITS], lowest[0]};

        for (genvar r = 0; r < ROWS; r++) begin : g_row
            if (r == 0) begin : g_first
                assign below[r*SIMD+s] = 1'b0;
                wire unused_first = below[r*SIMD+s];
            end else begin : g_next
                assign below[r*SIMD+s] = p[r*S] ^ lowest[r];
            end
            if (r == ROWS - 1) begin : g_last
                assign parts[(r*SIMD+s)*PRODUCT_BITS+:PRODUCT_BITS] = p[r*S+:PRODUCT_BITS];
            end else begin : g_part
                assign parts[(r*SIMD+s)*PRODUCT_BITS+:PRODUCT_BITS] = {below[r*SIMD+SIMD+s], p[r*S+:S]};
            end
        end
    end

    for (genvar r = 0; r < ROWS; r++) begin : g_sum
        wire [SUM_BITS-1:0] sum, corrected;
        finnp_tree #(.COUNT(SIMD), .IN_BITS(PRODUCT_BITS), .IN_SIGNED(1'b1), .OUT_BITS(SUM_BITS)) products (
            .clk, .terms(parts[r*SIMD*PRODUCT_BITS+:SIMD*PRODUCT_BITS]), .sum
        );
        if (r == 0) begin : g_first
            assign corrected = '0;
        end else begin : g_next
            finnp_tree #(.COUNT(SIMD), .IN_BITS(1), .IN_SIGNED(1'b0), .OUT_BITS(SUM_BITS)) corrections (
                .clk, .terms(below[r*SIMD+:SIMD]), .sum(corrected)
            );
        end
        logic [SUM_BITS-1:0] total;
        always_ff @(posedge clk) total <= sum + corrected;
        assign sums[r*SUM_BITS+:SUM_BITS] = total;
    end
endmodule

`default_nettype wire
