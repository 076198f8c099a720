// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The integer that a code stands for, two's complement.
`default_nettype none

module finnp_value #(
    parameter int unsigned IN_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar: code 0 is -1, code 1 is +1.
    parameter int unsigned IN_KIND = 0,
    /// Fewer than the value has are its lowest ones.
    parameter int unsigned OUT_BITS = 2
) (
    input  wire [IN_BITS-1:0]  code,
    output wire [OUT_BITS-1:0] value
);
    if (IN_KIND == 2) begin : g_bipolar
        assign value = {{OUT_BITS - 1{!code[0]}}, 1'b1};
    end else if (IN_KIND == 1) begin : g_signed
        assign value = unsigned'(OUT_BITS'(signed'(code)));
    end else begin : g_unsigned
        assign value = OUT_BITS'(code);
    end

    wire unused = &{1'b0, code};
endmodule

`default_nettype wire
