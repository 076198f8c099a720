// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Results that grow: for each of WORDS places, PE results to which values are added, or of which the largest is kept.
//
// A place is named one cycle kept its values are there; the results are there one cycle after them. A place is not
// named again in the cycle after it was, unless it is the only one.
`default_nettype none

module finnp_running #(
    parameter int unsigned PE = 1,
    parameter int unsigned BITS = 8,
    parameter int unsigned WORDS = 1,
    /// Whether the largest is kept, and whether values are signed; else values are added.
    parameter bit LARGEST = 1'b0,
    parameter bit SIGNED = 1'b0,
    parameter int unsigned AT_BITS = WORDS > 1 ? $clog2(WORDS) : 1
) (
    input  wire               clk,
    input  wire [AT_BITS-1:0] at,
    /// With the values: whether there are any, and whether they are the first ones of their place.
    input  wire               valid,
    input  wire               first,
    input  wire [PE*BITS-1:0] values,
    output wire [PE*BITS-1:0] results
);
    function automatic logic [BITS-1:0] both(logic [BITS-1:0] a, logic [BITS-1:0] b);
        if (!LARGEST) both = a + b;
        else if (SIGNED) both = signed'(a) > signed'(b) ? a : b;
        else both = a > b ? a : b;
    endfunction

    wire [PE*BITS-1:0] kept;
    logic [PE*BITS-1:0] after, held;
    always_comb begin
        for (int unsigned p = 0; p < PE; p++) begin
            after[p*BITS+:BITS] = first ? values[p*BITS+:BITS] : both(kept[p*BITS+:BITS], values[p*BITS+:BITS]);
        end
    end
    always_ff @(posedge clk) if (valid) held <= after;
    assign results = held;

    if (WORDS == 1) begin : g_register
        assign kept = held;
        wire unused = &{1'b0, at};
    end else begin : g_memory
        logic [AT_BITS-1:0] place;
        always_ff @(posedge clk) place <= at;
        finnp_bank #(.WIDTH(PE * BITS), .WORDS(WORDS)) storage (
            .clk, .write(valid), .write_at(place), .write_data(after), .read_at(at), .read_data(kept)
        );
    end
endmodule

`default_nettype wire
