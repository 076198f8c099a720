// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Counts for each of PE values how many of its thresholds it reaches, and makes a code of that. Two registers: after
// the comparisons and after the count.
`default_nettype none

module finnp_thresholds #(
    parameter int unsigned PE = 1,
    /// Bits of a value, two's complement.
    parameter int unsigned VALUE_BITS = 8,
    /// Thresholds of a value.
    parameter int unsigned LEVELS = 1,
    /// Bits of a threshold, two's complement.
    parameter int unsigned THRESHOLD_BITS = 8,
    /// The result is BASE + STEP * count.
    parameter int BASE = 0,
    parameter int STEP = 1,
    parameter int unsigned OUT_BITS = 1,
    /// 0 unsigned, 1 signed, 2 bipolar.
    parameter int unsigned OUT_KIND = 0
) (
    input  wire                                clk,
    input  wire [PE*VALUE_BITS-1:0]            values,
    input  wire [PE*LEVELS*THRESHOLD_BITS-1:0] thresholds,
    /// Whether a value counts the thresholds that it does not reach.
    input  wire [PE-1:0]                       flip,
    output wire [PE*OUT_BITS-1:0]              codes
);
    localparam int unsigned COUNT_BITS = unsigned'($clog2(LEVELS + 1));
    // Holds the result whatever its type.
    localparam int unsigned RESULT_BITS = COUNT_BITS + OUT_BITS + 3;
    localparam int unsigned COMPARED_BITS = VALUE_BITS > THRESHOLD_BITS ? VALUE_BITS : THRESHOLD_BITS;

    for (genvar p = 0; p < PE; p++) begin : g_value
        wire signed [VALUE_BITS-1:0] value = signed'(values[p*VALUE_BITS+:VALUE_BITS]);
        logic [LEVELS-1:0] reached;
        logic [OUT_BITS-1:0] code;

        for (genvar k = 0; k < LEVELS; k++) begin : g_threshold
            wire signed [THRESHOLD_BITS-1:0] threshold =
                signed'(thresholds[(p*LEVELS+k)*THRESHOLD_BITS+:THRESHOLD_BITS]);
            always_ff @(posedge clk) begin
                reached[k] <= (COMPARED_BITS'(value) >= COMPARED_BITS'(threshold)) != flip[p];
            end
        end

        logic [COUNT_BITS-1:0] count;
        always_comb begin
            count = '0;
            for (int unsigned k = 0; k < LEVELS; k++) count += COUNT_BITS'(reached[k]);
        end
        wire signed [RESULT_BITS-1:0] result =
            RESULT_BITS'(BASE) + RESULT_BITS'(STEP) * signed'(RESULT_BITS'(count));

        always_ff @(posedge clk) begin
            if (OUT_KIND == 2) code <= OUT_BITS'(result > 0);
            else code <= unsigned'(OUT_BITS'(result));
        end

        assign codes[p*OUT_BITS+:OUT_BITS] = code;
    end
endmodule

`default_nettype wire
