// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The product of two codes of at most six bits together, looked up: one look-up table for each bit of the product.
`default_nettype none

module finnp_product_table #(
    parameter int unsigned X_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar; 3 ternary is as signed.
    parameter int unsigned X_KIND = 0,
    parameter int unsigned W_BITS = 1,
    parameter int unsigned W_KIND = 1,
    /// Two's complement, but unsigned where no product is negative.
    parameter int unsigned BITS = 2
) (
    input  wire [X_BITS-1:0] x,
    input  wire [W_BITS-1:0] w,
    output wire [BITS-1:0]   product
);
    localparam int CODES = 1 << (X_BITS + W_BITS);

    // What a code of so many bits stands for.
    function automatic int decoded(input int code, input int bits, input int kind);
        if (kind == 2) decoded = 2 * code - 1;
        else if (kind != 0 && code >= (1 << (bits - 1))) decoded = code - (1 << bits);
        else decoded = code;
    endfunction

    // One bit of all products.
    function automatic logic [CODES-1:0] column_of(input int place);
        int product_here;
        for (int code = 0; code < CODES; code++) begin
            product_here = decoded(code % (1 << X_BITS), int'(X_BITS), int'(X_KIND))
                * decoded(code / (1 << X_BITS), int'(W_BITS), int'(W_KIND));
            column_of[code] = 1'(unsigned'(product_here >>> place));
        end
    endfunction

    for (genvar b = 0; b < BITS; b++) begin : g_bit
        localparam logic [CODES-1:0] TABLE = column_of(b);
        // As a shift: what looks like a memory may have its registers moved.
        assign product[b] = 1'(TABLE >> {w, x});
    end
endmodule

`default_nettype wire
