// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Counts steps from 0 to COUNT - 1, over and over. Whether it is at the last one is a register of its own.
`default_nettype none

module finnp_counter #(
    parameter int unsigned COUNT = 2,
    parameter int unsigned AT_BITS = COUNT > 1 ? $clog2(COUNT) : 1
) (
    input  wire               clk,
    input  wire               rst,
    input  wire               step,
    output wire [AT_BITS-1:0] at,
    output wire               last
);
    if (COUNT == 1) begin : g_one
        assign at = '0;
        assign last = 1'b1;
        wire unused = &{1'b0, clk, rst, step};
    end else begin : g_count
        logic [AT_BITS-1:0] count;
        logic final_one;

        always_ff @(posedge clk) begin
            if (step) begin
                count <= final_one ? '0 : count + 1'b1;
                final_one <= count == AT_BITS'(COUNT - 2);
            end
            if (rst) begin
                count <= '0;
                final_one <= 1'b0;
            end
        end

        assign at = count;
        assign last = final_one;
    end
endmodule

`default_nettype wire
