// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The code of another type for the same integer; the other type holds it.
`default_nettype none

module finnp_convert #(
    parameter int unsigned IN_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned IN_KIND = 0,
    parameter int unsigned OUT_BITS = 1,
    parameter int unsigned OUT_KIND = 0
) (
    input  wire [IN_BITS-1:0]  in,
    output wire [OUT_BITS-1:0] out
);
    if (IN_KIND == OUT_KIND && IN_BITS == OUT_BITS) begin : g_same
        assign out = in;
    end else begin : g_other
        finnp_value #(.IN_BITS(IN_BITS), .IN_KIND(IN_KIND), .OUT_BITS(OUT_BITS)) decode (.code(in), .value(out));
    end
endmodule

`default_nettype wire
