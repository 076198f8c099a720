// SPDX-License-Identifier: MIT-0
// A model of the primitive RAM32M16 of UltraScale devices, as UG574 describes it: eight memories of 32 x 2 bits, all
// written where ADDRH says, each read where its own address says.
`default_nettype none

module RAM32M16 (
    input  wire       WCLK,
    input  wire       WE,
    input  wire [4:0] ADDRA,
    input  wire [1:0] DIA,
    output wire [1:0] DOA,
    input  wire [4:0] ADDRB,
    input  wire [1:0] DIB,
    output wire [1:0] DOB,
    input  wire [4:0] ADDRC,
    input  wire [1:0] DIC,
    output wire [1:0] DOC,
    input  wire [4:0] ADDRD,
    input  wire [1:0] DID,
    output wire [1:0] DOD,
    input  wire [4:0] ADDRE,
    input  wire [1:0] DIE,
    output wire [1:0] DOE,
    input  wire [4:0] ADDRF,
    input  wire [1:0] DIF,
    output wire [1:0] DOF,
    input  wire [4:0] ADDRG,
    input  wire [1:0] DIG,
    output wire [1:0] DOG,
    input  wire [4:0] ADDRH,
    input  wire [1:0] DIH,
    output wire [1:0] DOH
);
    logic [15:0] words[0:31];
    always_ff @(posedge WCLK) if (WE) words[ADDRH] <= {DIH, DIG, DIF, DIE, DID, DIC, DIB, DIA};
    assign DOA = words[ADDRA][0+:2];
    assign DOB = words[ADDRB][2+:2];
    assign DOC = words[ADDRC][4+:2];
    assign DOD = words[ADDRD][6+:2];
    assign DOE = words[ADDRE][8+:2];
    assign DOF = words[ADDRF][10+:2];
    assign DOG = words[ADDRG][12+:2];
    assign DOH = words[ADDRH][14+:2];
endmodule

`default_nettype wire
