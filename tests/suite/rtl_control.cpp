// The registers behind AXI4-Lite, as a host that takes its time sees them. Prints nothing where all is as it should be.
#include "Vdut.h"

#include <cstdio>
#include <cstdlib>

static Vdut dut;

static void tick() {
    dut.clk = 0;
    dut.eval();
    dut.clk = 1;
    dut.eval();
}

static void expect(bool condition, const char* what) {
    if (condition) return;
    std::printf("%s\n", what);
    std::exit(1);
}

static void equal(unsigned found, unsigned wanted, const char* what) {
    if (found == wanted) return;
    std::printf("%s is %u, not %u\n", what, found, wanted);
    std::exit(1);
}

/// Reads a register, and takes the answer so many cycles after it came.
static unsigned read(unsigned address, int late = 0) {
    dut.araddr = address;
    dut.arvalid = 1;
    dut.rready = 0;
    for (dut.eval(); !dut.arready; dut.eval()) tick();
    tick();
    dut.arvalid = 0;
    for (dut.eval(); !dut.rvalid; dut.eval()) tick();
    const unsigned value = dut.rdata;
    for (int at = 0; at < late; ++at) {
        tick();
        dut.eval();
        expect(dut.rvalid && dut.rdata == value, "an answer changed before it was taken");
    }
    dut.rready = 1;
    tick();
    dut.rready = 0;
    return value;
}

enum Order { together, address_first, data_first };

static void write(unsigned address, unsigned value, Order order, int late = 0, unsigned bytes = 15) {
    dut.awaddr = address;
    dut.wdata = value;
    dut.wstrb = bytes;
    dut.bready = 0;
    bool address_open = order != data_first, data_open = order != address_first;
    for (int at = 0; address_open || data_open || at < 3; ++at) {
        if (at == 2 && order == data_first) address_open = true;
        if (at == 2 && order == address_first) data_open = true;
        dut.awvalid = address_open;
        dut.wvalid = data_open;
        dut.eval();
        const bool address_taken = dut.awvalid && dut.awready, data_taken = dut.wvalid && dut.wready;
        tick();
        if (address_taken) address_open = false;
        if (data_taken) data_open = false;
        expect(at < 100, "a write is never taken");
    }
    dut.awvalid = dut.wvalid = 0;
    for (dut.eval(); !dut.bvalid; dut.eval()) tick();
    for (int at = 0; at < late; ++at) {
        tick();
        dut.eval();
        expect(dut.bvalid, "an answer to a write went away before it was taken");
    }
    dut.bready = 1;
    tick();
    dut.bready = 0;
}

/// Offers a word of a frame of four; whether it was taken.
static bool word(bool last) {
    dut.eval();
    const bool taken = dut.open;
    dut.entered = taken;
    dut.entered_last = last;
    tick();
    dut.entered = 0;
    return taken;
}

int main() {
    dut.rst = 1;
    for (int at = 0; at < 3; ++at) tick();
    dut.rst = 0;
    equal(read(0x00), 0x464e4e50, "what it is");
    equal(read(0x08), 1, "run after reset");
    equal(read(0x20), 2, "streams");

    // Stopped in mid-frame: this frame goes on, the next one waits.
    expect(word(false), "the first word is not taken");
    write(0x08, 0, address_first, 2);
    for (int at = 0; at < 3; ++at) expect(word(at == 2), "a frame does not go on");
    expect(!word(false), "a frame begins although it was stopped");
    equal(read(0x10), 1, "frames that entered");
    equal(read(0x0c), 0, "errors");
    write(0x08, 1, data_first, 2);

    // TLAST too early, then missing.
    expect(word(true), "nothing is taken after a start");
    equal(read(0x0c, 5), 1, "errors after an early TLAST");
    write(0x0c, 1, together);
    equal(read(0x0c), 0, "errors after they were cleared");
    for (int at = 0; at < 3; ++at) word(false);
    equal(read(0x0c), 1, "errors after a missing TLAST");
    equal(read(0x10), 2, "frames that entered");
    write(0x0c, 1, address_first);

    // Words that wait, by stream; a frame that leaves.
    dut.stalled = 2;
    tick();
    tick();
    dut.stalled = 1;
    tick();
    dut.stalled = 0;
    dut.left = 1;
    tick();
    dut.left = 0;
    equal(read(0x40), 1, "stalls of the first stream");
    equal(read(0x44), 2, "stalls of the second stream");
    equal(read(0x48), 0, "stalls of a stream that is not there");
    equal(read(0x14), 1, "frames that left");
    expect(read(0x18) > 20, "cycles are not counted");

    // Cleared, and still running; bytes that are not enabled stay.
    write(0x08, 3, data_first);
    equal(read(0x10) + read(0x14) + read(0x40) + read(0x44), 0, "what was counted, after clearing");
    equal(read(0x08), 1, "run after clearing");
    write(0x08, 0, together, 0, 14);
    equal(read(0x08), 1, "run after a write to other bytes");
}
