// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Registers behind AXI4-Lite: what the accelerator is, whether it takes frames in, and what it counted.
//
//   0x00  "FNNP"                          0x10  frames that entered       0x20  streams that are counted
//   0x04  version                         0x14  frames that left          0x40  + 4 n: cycles in which stream n held a
//   0x08  bit 0: take frames in;          0x18  cycles, low word                word that nobody took
//         bit 1: clear what is counted    0x1c  cycles, high word
//   0x0c  errors, cleared by writing ones: bit 0: TLAST where no frame ends, or none where one does
//
// Counters begin again at reset and where bit 1 is written. Without bit 0 the next frame waits; the present one goes on.
`default_nettype none

module finnp_control #(
    parameter logic [31:0] VERSION = 32'd1,
    /// Words of a frame that enter.
    parameter int unsigned FRAME_WORDS = 1,
    /// Streams whose stalls are counted.
    parameter int unsigned STREAMS = 1,
    parameter int unsigned ADDRESS_BITS = 12
) (
    input  wire                    clk,
    input  wire                    rst,
    // AXI4-Lite
    input  wire                    awvalid,
    output wire                    awready,
    input  wire [ADDRESS_BITS-1:0] awaddr,
    input  wire                    wvalid,
    output wire                    wready,
    input  wire [31:0]             wdata,
    input  wire [3:0]              wstrb,
    output wire                    bvalid,
    input  wire                    bready,
    output wire [1:0]              bresp,
    input  wire                    arvalid,
    output wire                    arready,
    input  wire [ADDRESS_BITS-1:0] araddr,
    output wire                    rvalid,
    input  wire                    rready,
    output wire [31:0]             rdata,
    output wire [1:0]              rresp,
    // The stream that enters: whether a word may.
    output wire                    open,
    input  wire                    entered,
    input  wire                    entered_last,
    // A frame left.
    input  wire                    left,
    // By stream: a word waits.
    input  wire [STREAMS-1:0]      stalled
);
    localparam int unsigned AT_BITS = FRAME_WORDS > 1 ? unsigned'($clog2(FRAME_WORDS)) : 1;
    localparam int unsigned STREAM_BITS = STREAMS > 1 ? unsigned'($clog2(STREAMS)) : 1;

    logic running, clear, bad_last;
    logic [31:0] frames_in, frames_out;
    logic [63:0] cycles;
    logic [AT_BITS-1:0] at;
    wire last = at == AT_BITS'(FRAME_WORDS - 1);

    // A frame that has begun goes on.
    assign open = running || at != 0;

    // One write and one read at a time.
    logic answered, answers;
    logic [31:0] answer;
    wire write = awvalid && wvalid && !answered;
    wire read = arvalid && !answers;
    assign awready = write;
    assign wready = write;
    assign bvalid = answered;
    assign bresp = 2'b00;
    assign arready = read;
    assign rvalid = answers;
    assign rdata = answer;
    assign rresp = 2'b00;
    wire unused = &{1'b0, awaddr[1:0], araddr[1:0], wdata[31:2], wstrb[3:1]};

    // Words, not bytes.
    wire [31:0] written = 32'(awaddr[ADDRESS_BITS-1:2]);
    wire [31:0] asked = 32'(araddr[ADDRESS_BITS-1:2]);
    wire to_control = write && written == 32'd2 && wstrb[0];
    wire to_errors = write && written == 32'd3 && wstrb[0];

    always_ff @(posedge clk) begin
        if (write) answered <= 1'b1;
        else if (bready) answered <= 1'b0;
        if (to_control) running <= wdata[0];
        clear <= to_control && wdata[1];
        if (read) answers <= 1'b1;
        else if (rready) answers <= 1'b0;
        if (entered) at <= last ? '0 : at + 1'b1;
        if (to_errors && wdata[0]) bad_last <= 1'b0;
        if (entered && entered_last != last) bad_last <= 1'b1;
        cycles <= cycles + 1'b1;
        if (entered && last) frames_in <= frames_in + 1'b1;
        if (left) frames_out <= frames_out + 1'b1;
        if (rst || clear) begin
            cycles <= '0;
            frames_in <= '0;
            frames_out <= '0;
        end
        if (rst) begin
            running <= 1'b1;
            clear <= 1'b0;
            answered <= 1'b0;
            answers <= 1'b0;
            bad_last <= 1'b0;
            at <= '0;
        end
    end

    logic [31:0] stalls[0:STREAMS-1];
    for (genvar n = 0; n < STREAMS; n++) begin : g_stream
        always_ff @(posedge clk) begin
            if (stalled[n]) stalls[n] <= stalls[n] + 1'b1;
            if (rst || clear) stalls[n] <= '0;
        end
    end

    wire [31:0] counter = asked - 32'd16;
    wire counts = counter < STREAMS;
    always_ff @(posedge clk) begin
        if (read) begin
            case (asked)
                32'd0: answer <= 32'h464e4e50;
                32'd1: answer <= VERSION;
                32'd2: answer <= 32'(running);
                32'd3: answer <= 32'(bad_last);
                32'd4: answer <= frames_in;
                32'd5: answer <= frames_out;
                32'd6: answer <= cycles[31:0];
                32'd7: answer <= cycles[63:32];
                32'd8: answer <= STREAMS;
                default: answer <= counts ? stalls[STREAM_BITS'(counter)] : '0;
            endcase
        end
    end
endmodule

`default_nettype wire
