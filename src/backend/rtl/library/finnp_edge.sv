// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The accelerator's output: words of whole bytes, TLAST on the last one of a frame, padding cleared.
`default_nettype none

module finnp_edge #(
    /// Bits of a word inside, and bytes of one outside.
    parameter int unsigned BITS = 8,
    parameter int unsigned BYTES = 1,
    /// Words of a frame, and of a pixel.
    parameter int unsigned WORDS = 1,
    parameter int unsigned PIXEL_WORDS = 1,
    /// Bits of a pixel's last word that are no padding.
    parameter int unsigned LAST_BITS = 8
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               in_valid,
    output wire               in_ready,
    input  wire [BITS-1:0]    in_data,
    output wire               tvalid,
    input  wire               tready,
    output wire [8*BYTES-1:0] tdata,
    output wire               tlast
);
    localparam int unsigned AT_BITS = WORDS > 1 ? unsigned'($clog2(WORDS)) : 1;
    localparam int unsigned PIXEL_BITS = PIXEL_WORDS > 1 ? unsigned'($clog2(PIXEL_WORDS)) : 1;

    logic [AT_BITS-1:0] at;
    logic [PIXEL_BITS-1:0] pixel_at;
    wire last = at == AT_BITS'(WORDS - 1);
    wire pixel_last = pixel_at == PIXEL_BITS'(PIXEL_WORDS - 1);
    wire taken = tvalid && tready;

    always_ff @(posedge clk) begin
        if (taken) at <= last ? '0 : at + 1'b1;
        if (taken) pixel_at <= pixel_last ? '0 : pixel_at + 1'b1;
        if (rst) at <= '0;
        if (rst) pixel_at <= '0;
    end

    assign tvalid = in_valid;
    assign in_ready = tready;
    assign tlast = last;

    logic [8*BYTES-1:0] word;
    always_comb begin
        word = '0;
        word[BITS-1:0] = in_data;
        for (int unsigned i = LAST_BITS; i < BITS; i++) if (pixel_last) word[i] = 1'b0;
    end
    assign tdata = word;
endmodule

`default_nettype wire
