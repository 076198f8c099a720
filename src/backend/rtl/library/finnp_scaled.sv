// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// A constant times the integer that a code stands for, in the lowest bits that hold the result. A power of two is
// wires, other constants are a few adders.
`default_nettype none

module finnp_scaled #(
    parameter int unsigned IN_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned IN_KIND = 0,
    parameter longint GAIN = 1,
    parameter int unsigned OUT_BITS = 2
) (
    input  wire [IN_BITS-1:0]  code,
    output wire [OUT_BITS-1:0] value
);
    localparam int unsigned VALUE_BITS = IN_KIND == 1 ? IN_BITS : IN_BITS + 1;

    wire [VALUE_BITS-1:0] decoded;
    finnp_value #(.IN_BITS(IN_BITS), .IN_KIND(IN_KIND), .OUT_BITS(VALUE_BITS)) decode (.code, .value(decoded));

    assign value = unsigned'(OUT_BITS'(signed'(decoded)) * OUT_BITS'(GAIN));
    wire unused = &{1'b0, decoded};
endmodule

`default_nettype wire
