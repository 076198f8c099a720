// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Banks that are all written in one place and each read in a place of its own. What is asked for in one cycle is there
// in the next. A place must not be read in the cycle in which it is written.
//
// In UltraScale devices eight look-up tables are a memory that is written in one place and read in seven others, two
// bits each in 32 words (RAM32M16) or one bit each in 64 (RAM64M8). Tools find banks one by one and give each of them
// eight look-up tables, however narrow it is; `FINNP_RAM32M16` asks for the primitives, in which banks share them
// (UG574, "Distributed RAM").
`default_nettype none

module finnp_banks #(
    parameter int unsigned BANKS = 1,
    parameter int unsigned WIDTH = 8,
    parameter int unsigned WORDS = 2,
    parameter int unsigned AT_BITS = WORDS > 1 ? $clog2(WORDS) : 1
) (
    input  wire                     clk,
    input  wire                     write,
    input  wire [AT_BITS-1:0]       write_at,
    input  wire [BANKS*WIDTH-1:0]   write_data,
    input  wire [BANKS*AT_BITS-1:0] read_at,
    output wire [BANKS*WIDTH-1:0]   read_data
);
`ifdef FINNP_RAM32M16
    localparam bit SHARED = WORDS <= 64;
`else
    localparam bit SHARED = 1'b0;
`endif

    if (!SHARED) begin : g_apart
        for (genvar b = 0; b < BANKS; b++) begin : g_bank
            finnp_bank #(.WIDTH(WIDTH), .WORDS(WORDS), .AT_BITS(AT_BITS)) bank (
                .clk, .write, .write_at, .write_data(write_data[b*WIDTH+:WIDTH]),
                .read_at(read_at[b*AT_BITS+:AT_BITS]), .read_data(read_data[b*WIDTH+:WIDTH])
            );
        end
    end
`ifdef FINNP_RAM32M16
    else begin : g_shared
        localparam int unsigned PORT_BITS = WORDS <= 32 ? 2 : 1;
        localparam int unsigned PORT_AT_BITS = WORDS <= 32 ? 5 : 6;
        // Ports that a bank takes; seven of them are one memory.
        localparam int unsigned PER_BANK = (WIDTH + PORT_BITS - 1) / PORT_BITS;
        localparam int unsigned MEMORIES = (BANKS * PER_BANK + 6) / 7;
        wire [PORT_AT_BITS-1:0] at = PORT_AT_BITS'(write_at);
        wire [MEMORIES*7*PORT_BITS-1:0] in, out;
        wire [MEMORIES*7*PORT_AT_BITS-1:0] from;

        for (genvar p = 0; p < MEMORIES * 7; p++) begin : g_port
            if (p < BANKS * PER_BANK) begin : g_used
                localparam int unsigned BANK = p / PER_BANK;
                localparam int unsigned FIRST = BANK * WIDTH + p % PER_BANK * PORT_BITS;
                localparam int unsigned LEFT = (BANK + 1) * WIDTH - FIRST;
                localparam int unsigned BITS = LEFT < PORT_BITS ? LEFT : PORT_BITS;
                logic [BITS-1:0] held;
                always_ff @(posedge clk) held <= out[p*PORT_BITS+:BITS];
                assign in[p*PORT_BITS+:PORT_BITS] = PORT_BITS'(write_data[FIRST+:BITS]);
                assign from[p*PORT_AT_BITS+:PORT_AT_BITS] = PORT_AT_BITS'(read_at[BANK*AT_BITS+:AT_BITS]);
                assign read_data[FIRST+:BITS] = held;
            end else begin : g_unused
                assign in[p*PORT_BITS+:PORT_BITS] = '0;
                assign from[p*PORT_AT_BITS+:PORT_AT_BITS] = '0;
            end
        end

        wire unused = &{1'b0, out};

        for (genvar m = 0; m < MEMORIES; m++) begin : g_memory
            localparam int unsigned FIRST = 7 * unsigned'(m);
            wire [6:0][PORT_BITS-1:0] d = in[FIRST*PORT_BITS+:7*PORT_BITS];
            wire [6:0][PORT_BITS-1:0] q;
            wire [6:0][PORT_AT_BITS-1:0] a = from[FIRST*PORT_AT_BITS+:7*PORT_AT_BITS];
            wire [PORT_BITS-1:0] unused_h;
            assign out[FIRST*PORT_BITS+:7*PORT_BITS] = q;
            if (PORT_BITS == 2) begin : g_32
                RAM32M16 memory (
                    .WCLK(clk), .WE(write), .ADDRH(at), .DIH(2'b0), .DOH(unused_h),
                    .ADDRA(a[0]), .DIA(d[0]), .DOA(q[0]), .ADDRB(a[1]), .DIB(d[1]), .DOB(q[1]),
                    .ADDRC(a[2]), .DIC(d[2]), .DOC(q[2]), .ADDRD(a[3]), .DID(d[3]), .DOD(q[3]),
                    .ADDRE(a[4]), .DIE(d[4]), .DOE(q[4]), .ADDRF(a[5]), .DIF(d[5]), .DOF(q[5]),
                    .ADDRG(a[6]), .DIG(d[6]), .DOG(q[6])
                );
            end else begin : g_64
                RAM64M8 memory (
                    .WCLK(clk), .WE(write), .ADDRH(at), .DIH(1'b0), .DOH(unused_h),
                    .ADDRA(a[0]), .DIA(d[0]), .DOA(q[0]), .ADDRB(a[1]), .DIB(d[1]), .DOB(q[1]),
                    .ADDRC(a[2]), .DIC(d[2]), .DOC(q[2]), .ADDRD(a[3]), .DID(d[3]), .DOD(q[3]),
                    .ADDRE(a[4]), .DIE(d[4]), .DOE(q[4]), .ADDRF(a[5]), .DIF(d[5]), .DOF(q[5]),
                    .ADDRG(a[6]), .DIG(d[6]), .DOG(q[6])
                );
            end
        end
    end
`endif
endmodule

`default_nettype wire
