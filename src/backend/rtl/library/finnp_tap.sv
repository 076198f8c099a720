// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Walks over one axis of a picture and knows which positions of the windows on it, which lie side by side, it meets.
`default_nettype none

module finnp_tap #(
    /// Rows or columns of the picture.
    parameter int unsigned SIZE = 2,
    parameter int unsigned KERNEL = 2,
    parameter int unsigned STRIDE = 2,
    parameter int unsigned DILATION = 1,
    parameter int unsigned PLACES = 1
) (
    input  wire clk,
    input  wire rst,
    input  wire next,
    /// Whether a window sees the present row or column; whether it is the first or the last that it sees.
    output wire seen,
    output wire first,
    output wire last,
    /// Whether a place begins behind it, and whether it is the last of the picture.
    output wire passes,
    output wire ends
);
    localparam int unsigned AT_BITS = SIZE > 1 ? unsigned'($clog2(SIZE)) : 1;
    localparam int unsigned STEP_BITS = STRIDE > 1 ? unsigned'($clog2(STRIDE)) : 1;
    localparam int unsigned GAP_BITS = DILATION > 1 ? unsigned'($clog2(DILATION)) : 1;
    localparam int unsigned MET_BITS = unsigned'($clog2(KERNEL + 1));

    // Whether there are rows or columns behind the last place, which no window sees.
    localparam bit REST = PLACES * STRIDE < SIZE;

    logic [AT_BITS-1:0] at;
    // From the first row or column of the place; to the next position of the kernel; positions met.
    logic [STEP_BITS-1:0] step;
    logic [GAP_BITS-1:0] gap;
    logic [MET_BITS-1:0] met;
    // Whether it is there.
    logic over;

    assign seen = !over && gap == 0 && met != MET_BITS'(KERNEL);
    assign first = met == 0;
    assign last = met == MET_BITS'(KERNEL - 1);
    assign passes = step == STEP_BITS'(STRIDE - 1);
    assign ends = at == AT_BITS'(SIZE - 1);

    always_ff @(posedge clk) begin
        if (next) begin
            at <= at + 1'b1;
            step <= step + 1'b1;
            gap <= gap == 0 ? GAP_BITS'(DILATION - 1) : gap - 1'b1;
            if (gap == 0 && met != MET_BITS'(KERNEL)) met <= met + 1'b1;
            if (REST && at == AT_BITS'(PLACES * STRIDE - 1)) over <= 1'b1;
        end
        if (rst || (next && (passes || ends))) begin
            step <= '0;
            gap <= '0;
            met <= '0;
        end
        if (rst || (next && ends)) begin
            at <= '0;
            over <= 1'b0;
        end
    end
endmodule

`default_nettype wire
