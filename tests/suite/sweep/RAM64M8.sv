// SPDX-License-Identifier: MIT-0
// A model of the primitive RAM64M8 of UltraScale devices, as UG574 describes it: eight memories of 64 x 1 bits, all
// written where ADDRH says, each read where its own address says.
`default_nettype none

module RAM64M8 (
    input  wire       WCLK,
    input  wire       WE,
    input  wire [5:0] ADDRA,
    input  wire [0:0] DIA,
    output wire [0:0] DOA,
    input  wire [5:0] ADDRB,
    input  wire [0:0] DIB,
    output wire [0:0] DOB,
    input  wire [5:0] ADDRC,
    input  wire [0:0] DIC,
    output wire [0:0] DOC,
    input  wire [5:0] ADDRD,
    input  wire [0:0] DID,
    output wire [0:0] DOD,
    input  wire [5:0] ADDRE,
    input  wire [0:0] DIE,
    output wire [0:0] DOE,
    input  wire [5:0] ADDRF,
    input  wire [0:0] DIF,
    output wire [0:0] DOF,
    input  wire [5:0] ADDRG,
    input  wire [0:0] DIG,
    output wire [0:0] DOG,
    input  wire [5:0] ADDRH,
    input  wire [0:0] DIH,
    output wire [0:0] DOH
);
    logic [7:0] words[0:63];
    always_ff @(posedge WCLK) if (WE) words[ADDRH] <= {DIH, DIG, DIF, DIE, DID, DIC, DIB, DIA};
    assign DOA = words[ADDRA][0+:1];
    assign DOB = words[ADDRB][1+:1];
    assign DOC = words[ADDRC][2+:1];
    assign DOD = words[ADDRD][3+:1];
    assign DOE = words[ADDRE][4+:1];
    assign DOF = words[ADDRF][5+:1];
    assign DOG = words[ADDRG][6+:1];
    assign DOH = words[ADDRH][7+:1];
endmodule

`default_nettype wire
