// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// A multiplier of UltraScale+: (d - a) * b, four cycles later. Where the primitive DSP48E2 is not known, as in
// simulation, a model of the same bits stands for it; `FINNP_DSP48E2` asks for the primitive (UG579, "DSP48E2"), and
// so does synthesis by Vivado.
`default_nettype none

`ifdef SYNTHESIS
`ifndef YOSYS
`define FINNP_DSP48E2
`endif
`endif

module finnp_dsp (
    input  wire        clk,
    /// Two's complement.
    input  wire [26:0] d,
    input  wire [26:0] a,
    input  wire [17:0] b,
    output wire [47:0] p
);
`ifdef FINNP_DSP48E2
    wire [47:0] unused_pcout;
    wire [29:0] unused_acout;
    wire [17:0] unused_bcout;
    wire [3:0] unused_carryout;
    wire [7:0] unused_xorout;
    wire unused_carrycascout, unused_multsignout, unused_overflow, unused_underflow;
    wire unused_patterndetect, unused_patternbdetect;

    DSP48E2 #(
        .AMULTSEL("AD"), .A_INPUT("DIRECT"), .BMULTSEL("B"), .B_INPUT("DIRECT"), .PREADDINSEL("A"),
        .USE_MULT("MULTIPLY"), .USE_SIMD("ONE48"), .USE_PATTERN_DETECT("NO_PATDET"),
        .AREG(1), .ACASCREG(1), .DREG(1), .ADREG(1), .BREG(2), .BCASCREG(2), .MREG(1), .PREG(1),
        .CREG(0), .ALUMODEREG(0), .CARRYINREG(0), .CARRYINSELREG(0), .INMODEREG(0), .OPMODEREG(0)
    ) slice (
        .CLK(clk), .A({{3{a[26]}}, a}), .B(b), .D(d), .P(p),
        // D - A goes to the multiplier, its product through the adder.
        .INMODE(5'b01100), .OPMODE(9'b000000101), .ALUMODE(4'b0000), .CARRYINSEL(3'b000),
        .CEA1(1'b1), .CEA2(1'b1), .CEAD(1'b1), .CEB1(1'b1), .CEB2(1'b1), .CED(1'b1), .CEM(1'b1), .CEP(1'b1),
        .CEALUMODE(1'b1), .CEC(1'b0), .CECARRYIN(1'b0), .CECTRL(1'b1), .CEINMODE(1'b1),
        .RSTA(1'b0), .RSTALLCARRYIN(1'b0), .RSTALUMODE(1'b0), .RSTB(1'b0), .RSTC(1'b0), .RSTCTRL(1'b0), .RSTD(1'b0),
        .RSTINMODE(1'b0), .RSTM(1'b0), .RSTP(1'b0),
        .ACIN(30'b0), .BCIN(18'b0), .C(48'b0), .CARRYCASCIN(1'b0), .CARRYIN(1'b0), .MULTSIGNIN(1'b0), .PCIN(48'b0),
        .ACOUT(unused_acout), .BCOUT(unused_bcout), .CARRYCASCOUT(unused_carrycascout), .CARRYOUT(unused_carryout),
        .MULTSIGNOUT(unused_multsignout), .OVERFLOW(unused_overflow), .PATTERNBDETECT(unused_patternbdetect),
        .PATTERNDETECT(unused_patterndetect), .PCOUT(unused_pcout), .UNDERFLOW(unused_underflow),
        .XOROUT(unused_xorout)
    );
`else
    logic signed [26:0] d1, a1, ad;
    logic signed [17:0] b1, b2;
    logic signed [44:0] m;
    logic signed [47:0] sum;

    always_ff @(posedge clk) begin
        d1 <= signed'(d);
        a1 <= signed'(a);
        ad <= d1 - a1;
        b1 <= signed'(b);
        b2 <= b1;
        m <= 45'(ad) * 45'(b2);
        sum <= 48'(m);
    end

    assign p = unsigned'(sum);
`endif
endmodule

`default_nettype wire
