// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// The index of the largest element of a pixel; the lowest index wins a tie. PE elements a cycle: a register before the
// first comparison, after every choice of one out of four, and after the comparison with the words before.
`default_nettype none

module finnp_label_select #(
    parameter int unsigned PE = 1,
    /// Words of a pixel, and elements in the last one.
    parameter int unsigned WORDS = 1,
    parameter int unsigned LAST = PE,
    parameter int unsigned IN_BITS = 8,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned IN_KIND = 0,
    parameter int unsigned OUT_BITS = 4,
    parameter int unsigned DEPTH = 2
) (
    input  wire                  clk,
    input  wire                  rst,
    input  wire                  in_valid,
    output wire                  in_ready,
    input  wire [PE*IN_BITS-1:0] in_data,
    output wire                  out_valid,
    input  wire                  out_ready,
    output wire [OUT_BITS-1:0]   out_data
);
    localparam int unsigned LEVELS = unsigned'($clog2(PE) + 1) / 2;
    localparam int unsigned LANE_BITS = LEVELS > 0 ? 2 * LEVELS : 1;

    wire room, last;
    assign in_ready = room || !last;
    wire step = in_valid && in_ready;
    wire makes = step && last;
    wire [(WORDS > 1 ? $clog2(WORDS) : 1)-1:0] taken;
    finnp_counter #(.COUNT(WORDS)) taken_counter (.clk, .rst, .step, .at(taken), .last);

    for (genvar l = 0; l <= LEVELS; l++) begin : g_level
        // Each candidate of this level is the best of so many elements; where it stands among them takes two bits
        // more than in the level below.
        localparam int unsigned COUNT = (PE + (1 << (2 * l)) - 1) >> (2 * l);
        localparam int unsigned BITS = l > 0 ? 2 * l : 1;
        wire [COUNT*IN_BITS-1:0] values;
        wire [COUNT*BITS-1:0] lanes;

        if (l == 0) begin : g_elements
            for (genvar p = 0; p < PE; p++) begin : g_element
                logic [IN_BITS-1:0] value;
                always_ff @(posedge clk) begin
                    value <= in_data[p*IN_BITS+:IN_BITS];
                    // Signed numbers are compared as unsigned ones when the highest bit is turned over.
                    if (IN_KIND == 1) value[IN_BITS-1] <= !in_data[p*IN_BITS+IN_BITS-1];
                    // Padding is no larger than anything, and stands behind all elements.
                    if (p >= LAST && last) value <= '0;
                end
                assign values[p*IN_BITS+:IN_BITS] = value;
            end
            assign lanes = '0;
        end else begin : g_choices
            localparam int unsigned BELOW = (PE + (1 << (2 * l - 2)) - 1) >> (2 * l - 2);
            localparam int unsigned BELOW_BITS = l > 1 ? 2 * l - 2 : 1;
            for (genvar i = 0; i < COUNT; i++) begin : g_choice
                wire [3:0][IN_BITS-1:0] value;
                wire [3:0][BITS-1:0] lane;
                for (genvar c = 0; c < 4; c++) begin : g_candidate
                    localparam int unsigned AT = unsigned'(4 * i + c);
                    if (AT < BELOW) begin : g_there
                        assign value[c] = g_level[l-1].values[AT*IN_BITS+:IN_BITS];
                        assign lane[c] = BITS'(c << (2 * l - 2))
                            | BITS'(g_level[l-1].lanes[AT*BELOW_BITS+:BELOW_BITS]);
                    end else begin : g_none
                        assign value[c] = '0;
                        assign lane[c] = '0;
                    end
                end
                wire low = value[1] > value[0];
                wire high = value[3] > value[2];
                wire [IN_BITS-1:0] low_value = low ? value[1] : value[0];
                wire [IN_BITS-1:0] high_value = high ? value[3] : value[2];
                wire upper = high_value > low_value;
                logic [IN_BITS-1:0] best;
                logic [BITS-1:0] best_lane;
                always_ff @(posedge clk) begin
                    best <= upper ? high_value : low_value;
                    best_lane <= upper ? (high ? lane[3] : lane[2]) : (low ? lane[1] : lane[0]);
                end
                assign values[i*IN_BITS+:IN_BITS] = best;
                assign lanes[i*BITS+:BITS] = best_lane;
            end
        end
    end

    // The best of a word meets the best of the words before it.
    wire compared, complete;
    finnp_delay #(.WIDTH(2), .CYCLES(1 + LEVELS), .CLEARED(1'b1)) mark_delay (
        .clk, .rst, .in({makes, step}), .out({complete, compared})
    );
    wire [IN_BITS-1:0] value = g_level[LEVELS].values;
    wire [LANE_BITS-1:0] lane = g_level[LEVELS].lanes;
    logic [IN_BITS-1:0] best;
    logic [OUT_BITS-1:0] label, word_first;
    logic first;
    always_ff @(posedge clk) begin
        if (compared) begin
            first <= complete;
            word_first <= complete ? '0 : word_first + OUT_BITS'(PE);
            if (first || value > best) begin
                best <= value;
                label <= word_first + OUT_BITS'(lane);
            end
        end
        if (rst) begin
            first <= 1'b1;
            word_first <= '0;
        end
    end

    wire unused = &{1'b0, taken, lane};

    wire push;
    finnp_delay #(.CYCLES(1), .CLEARED(1'b1)) push_delay (.clk, .rst, .in(complete), .out(push));
    finnp_fifo #(.WIDTH(OUT_BITS), .DEPTH(DEPTH)) fifo (
        .clk, .rst, .room, .reserve(makes), .push, .push_data(label), .out_valid, .out_ready, .out_data
    );
endmodule

`default_nettype wire
