// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The outside of the multiplier of UltraScale+ (UG579), for readers that do not know the primitives of the family.
`default_nettype none

(* blackbox *)
module DSP48E2 #(
    parameter AMULTSEL = "A",
    parameter A_INPUT = "DIRECT",
    parameter BMULTSEL = "B",
    parameter B_INPUT = "DIRECT",
    parameter PREADDINSEL = "A",
    parameter USE_MULT = "MULTIPLY",
    parameter USE_SIMD = "ONE48",
    parameter USE_PATTERN_DETECT = "NO_PATDET",
    parameter int AREG = 1,
    parameter int ACASCREG = 1,
    parameter int DREG = 1,
    parameter int ADREG = 1,
    parameter int BREG = 1,
    parameter int BCASCREG = 1,
    parameter int MREG = 1,
    parameter int PREG = 1,
    parameter int CREG = 1,
    parameter int ALUMODEREG = 1,
    parameter int CARRYINREG = 1,
    parameter int CARRYINSELREG = 1,
    parameter int INMODEREG = 1,
    parameter int OPMODEREG = 1
) (
    input  wire        CLK,
    input  wire [29:0] A,
    input  wire [17:0] B,
    input  wire [47:0] C,
    input  wire [26:0] D,
    output wire [47:0] P,
    input  wire [4:0]  INMODE,
    input  wire [8:0]  OPMODE,
    input  wire [3:0]  ALUMODE,
    input  wire [2:0]  CARRYINSEL,
    input  wire        CARRYIN,
    input  wire        CEA1, CEA2, CEAD, CEALUMODE, CEB1, CEB2, CEC, CECARRYIN, CECTRL, CED, CEINMODE, CEM, CEP,
    input  wire        RSTA, RSTALLCARRYIN, RSTALUMODE, RSTB, RSTC, RSTCTRL, RSTD, RSTINMODE, RSTM, RSTP,
    input  wire [29:0] ACIN,
    input  wire [17:0] BCIN,
    input  wire        CARRYCASCIN,
    input  wire        MULTSIGNIN,
    input  wire [47:0] PCIN,
    output wire [29:0] ACOUT,
    output wire [17:0] BCOUT,
    output wire        CARRYCASCOUT,
    output wire [3:0]  CARRYOUT,
    output wire        MULTSIGNOUT,
    output wire        OVERFLOW,
    output wire        PATTERNBDETECT,
    output wire        PATTERNDETECT,
    output wire [47:0] PCOUT,
    output wire        UNDERFLOW,
    output wire [7:0]  XOROUT
);
endmodule

`default_nettype wire
