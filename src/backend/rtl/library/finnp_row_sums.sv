// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Banks of accumulators: PE of them, each of which holds RESULTS sums twice, so that the sums of one block of rows leave
// while those of the next one are added to. Nothing is ever cleared: the first thing that is added to a sum takes the
// place of what is there, and a sum to which nothing was added is 0.
//
// A sum that is asked for in one cycle is there, and is added to, in the next one, and is back one cycle later. A word
// that leaves is pushed two cycles after it is asked for, and two more with thresholds.
`default_nettype none

module finnp_row_sums #(
    parameter int unsigned PE = 1,
    parameter int unsigned RESULTS = 1,
    parameter int unsigned AT_BITS = 1,
    /// 1 where a sum may be added to in two cycles that follow each other, else 0.
    parameter int unsigned FORWARD = 1,
    /// Bits of an accumulator, two's complement.
    parameter int unsigned ACC_BITS = 8,
    /// Thresholds of a row; 0: accumulators leave as they are.
    parameter int unsigned LEVELS = 0,
    parameter int unsigned THRESHOLD_BITS = 8,
    /// Lines of the memory of thresholds: words that leave after each other take one each.
    parameter int unsigned LINES = 1,
    parameter int BASE = 0,
    parameter int STEP = 1,
    /// ACC_BITS where there are no thresholds.
    parameter int unsigned OUT_BITS = 8,
    parameter int unsigned OUT_KIND = 1,
    parameter THRESHOLDS = "",
    parameter FLIP = ""
) (
    input  wire                   clk,
    input  wire                   rst,
    /// A sum of every accumulator is asked for, and whether it is the last one of its block.
    input  wire                   add,
    input  wire                   add_last,
    input  wire [PE*AT_BITS-1:0]  at,
    /// What is added, one cycle after that.
    input  wire [PE*ACC_BITS-1:0] rows,
    /// A word of the block that leaves is asked for. This is never the block that is added to.
    input  wire                   leave,
    output wire                   push,
    output wire [PE*OUT_BITS-1:0] word
);
    // Codes of an index, as many bits as there are for it.
    localparam int unsigned CODES = 1 << AT_BITS;

    // The halves that are added to and that leave, and the word of the latter.
    logic adding, leaving;
    wire [(RESULTS > 1 ? $clog2(RESULTS) : 1)-1:0] result;
    wire result_last;
    finnp_counter #(.COUNT(RESULTS)) result_counter (.clk, .rst, .step(leave), .at(result), .last(result_last));
    always_ff @(posedge clk) begin
        if (add && add_last) adding <= !adding;
        if (leave && result_last) leaving <= !leaving;
        if (rst) begin
            adding <= 1'b0;
            leaving <= 1'b0;
        end
    end

    // One cycle later: what was asked for is there.
    logic added, added_second, left_second;
    always_ff @(posedge clk) begin
        added <= add && !rst;
        added_second <= adding;
        left_second <= leaving;
    end

    wire [PE*ACC_BITS-1:0] accumulators;
    for (genvar p = 0; p < PE; p++) begin : g_row
        wire [AT_BITS-1:0] own_at = at[p*AT_BITS+:AT_BITS];
        logic [AT_BITS-1:0] added_at;
        always_ff @(posedge clk) added_at <= own_at;

        wire [ACC_BITS-1:0] total;
        wire [1:0][ACC_BITS-1:0] held;
        for (genvar h = 0; h < 2; h++) begin : g_half
            wire leaves = leave && leaving == (h == 1);
            finnp_bank #(.WIDTH(ACC_BITS), .WORDS(RESULTS), .AT_BITS(AT_BITS)) bank (
                .clk, .write(added && added_second == (h == 1)), .write_at(added_at), .write_data(total),
                .read_at(leaves ? AT_BITS'(result) : own_at), .read_data(held[h])
            );
        end

        // Which sums have begun.
        logic [1:0][CODES-1:0] begun;
        logic add_begun, leave_begun;
        always_ff @(posedge clk) begin
            if (add) begun[adding][own_at] <= 1'b1;
            if (leave) begun[leaving][AT_BITS'(result)] <= 1'b0;
            add_begun <= begun[adding][own_at];
            leave_begun <= begun[leaving][AT_BITS'(result)];
            if (rst) begun <= '0;
        end

        // The total of the cycle before is on its way to its bank: what was asked for in that cycle was not there yet.
        logic [ACC_BITS-1:0] recent;
        logic leave_recent;
        always_ff @(posedge clk) begin
            recent <= total;
            leave_recent <= added && added_second == leaving && added_at == AT_BITS'(result);
        end

        wire [ACC_BITS-1:0] old;
        if (FORWARD != 0) begin : g_forward
            logic add_recent;
            always_ff @(posedge clk) add_recent <= added && added_second == adding && added_at == own_at;
            assign old = add_recent ? recent : held[added_second];
        end else begin : g_apart
            assign old = held[added_second];
        end
        assign total = (old & {ACC_BITS{add_begun}}) + rows[p*ACC_BITS+:ACC_BITS];

        logic [ACC_BITS-1:0] accumulator;
        always_ff @(posedge clk) begin
            accumulator <= (leave_recent ? recent : held[left_second]) & {ACC_BITS{leave_begun}};
        end
        assign accumulators[p*ACC_BITS+:ACC_BITS] = accumulator;
    end

    finnp_finish #(
        .PE(PE), .ACC_BITS(ACC_BITS), .LEVELS(LEVELS), .THRESHOLD_BITS(THRESHOLD_BITS), .LINES(LINES), .BASE(BASE),
        .STEP(STEP), .OUT_BITS(OUT_BITS), .OUT_KIND(OUT_KIND), .THRESHOLDS(THRESHOLDS), .FLIP(FLIP)
    ) finish (.clk, .rst, .soon(leave), .accumulators, .push, .word);
endmodule

`default_nettype wire
