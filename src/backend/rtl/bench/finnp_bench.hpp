// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Drives a module that Verilator compiled: feeds its streams from files, records what it writes and when.
//
//   PROGRAM [--gaps SEED] [--reset CYCLE] [--patience CYCLES] [--ahead WORDS] [--registers COUNT] INPUT... OUTPUT...
//
// One file per stream, in the order of the module's ports: whole frames of words, which are whole bytes, the lowest
// first. As many frames leave as enter. OUTPUT.cycles receives, as 64-bit numbers, the lowest byte first, the cycle in
// which each word left; cycle 0 is the first one after reset. With gaps inputs are not always
// there and outputs not always wanted, at random. With a reset in a cycle all streams begin again after it.
// So many words of the next frame may follow, as a window makes them that sees nothing but padding; they are not kept.
// With registers as many words of the AXI4-Lite port are printed at the end, one a line.
// Exits with 0 if all words left and no others did, 3 if nothing moved for PATIENCE cycles, 4 if a word was too many,
// 5 if a word that was not taken changed, 6 if TLAST is wrong, 2 if it was called wrongly.
#ifndef FINNP_BENCH_HPP
#define FINNP_BENCH_HPP

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace finnp {

/// xorshift64*: small, and the same everywhere.
struct Random {
    std::uint64_t state;
    explicit Random(std::uint64_t seed) : state(seed * 2685821657736338717ull + 1442695040888963407ull) {}
    std::uint64_t next() {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return state * 2685821657736338717ull >> 32;
    }
};

/// The wires of one stream.
struct Stream {
    std::uint8_t* valid;
    std::uint8_t* ready;
    unsigned char* data;
    std::size_t port_bytes, word_bytes;
    bool read;
    std::vector<unsigned char> words;
    std::vector<std::uint64_t> cycles;
    std::size_t at = 0, wanted = 0;
    /// Words of a frame.
    std::size_t frame = 0;
    /// Whether a word is offered or wanted in this cycle, and for how many more cycles that stays so.
    bool open = true;
    unsigned stays = 0;
    /// A word that was offered and not taken must stay.
    std::vector<unsigned char> held;
    std::string path;
    /// TLAST; none inside.
    std::uint8_t* last = nullptr;

    std::size_t count() const { return word_bytes ? words.size() / word_bytes : 0; }
};

template <class Dut>
class Bench {
public:
    /// `asserted` is the level of the reset at which it is active.
    Bench(Dut& dut, std::uint8_t& clock, std::uint8_t& reset, std::uint8_t asserted)
        : dut(dut), clock(clock), reset_pin(reset), asserted(asserted) {}

    template <class Data>
    void reads(std::uint8_t& valid, std::uint8_t& ready, Data& data, unsigned bits, std::size_t frame) {
        add(valid, ready, data, bits, frame, true);
    }
    template <class Data>
    void writes(std::uint8_t& valid, std::uint8_t& ready, Data& data, unsigned bits, std::size_t frame) {
        add(valid, ready, data, bits, frame, false);
    }

    /// The AXI4-Lite port to read registers from.
    void registers(std::uint8_t& arvalid, std::uint8_t& arready, std::uint16_t& araddr, std::uint8_t& rvalid,
                   std::uint8_t& rready, std::uint32_t& rdata) {
        lite = {&arvalid, &arready, &rvalid, &rready, &araddr, &rdata};
    }

    /// The stream named last marks the last word of every frame.
    void marks(std::uint8_t& last) { streams.back().last = &last; }

    int run(int argc, char** argv) {
        std::vector<std::string> names;
        for (int i = 1; i < argc; ++i) {
            const std::string name = argv[i];
            if (name.rfind("--", 0) != 0) {
                names.push_back(name);
                continue;
            }
            if (i + 1 == argc) return usage();
            const std::uint64_t value = std::strtoull(argv[++i], nullptr, 10);
            if (name == "--gaps") gaps = true, random = Random(value);
            else if (name == "--reset") reset_in = value;
            else if (name == "--patience") patience = value;
            else if (name == "--registers" && lite.arvalid) count = value;
            else if (name == "--ahead") ahead = value;
            else return usage();
        }
        std::size_t next = 0;
        for (Stream& stream : streams) {
            if (next == names.size()) return usage();
            stream.path = names[next++];
            if (stream.read && !load(stream)) return 2;
        }
        if (next != names.size()) return usage();
        const std::size_t frames = streams.front().count() / streams.front().frame;
        for (Stream& stream : streams) {
            if (stream.read && stream.count() != frames * stream.frame) {
                std::fprintf(stderr, "`%s` does not hold %zu frames\n", stream.path.c_str(), frames);
                return 2;
            }
            stream.wanted = frames * stream.frame;
        }
        reset();
        if (reset_in != never) {
            const int early = drive(reset_in, false);
            if (early != 0) return early;
            for (Stream& stream : streams) {
                stream.at = 0;
                stream.cycles.clear();
                stream.held.clear();
                if (!stream.read) stream.words.clear();
            }
            reset();
        }
        const int ended = drive(never, true);
        for (const Stream& stream : streams) {
            if (!stream.read && !save(stream)) return 2;
        }
        for (std::uint64_t at = 0; ended == 0 && at < count; ++at) {
            std::printf("%lu\n", static_cast<unsigned long>(ask(at)));
        }
        return ended;
    }

private:
    static constexpr std::uint64_t never = ~std::uint64_t(0);
    /// Cycles after the last word in which no other may come.
    static constexpr std::uint64_t after = 64;

    struct Lite {
        std::uint8_t *arvalid, *arready, *rvalid, *rready;
        std::uint16_t* araddr;
        std::uint32_t* rdata;
    };
    Lite lite{};
    std::uint64_t count = 0;

    /// Reads one register.
    std::uint32_t ask(std::uint64_t at) {
        *lite.araddr = static_cast<std::uint16_t>(4 * at);
        *lite.arvalid = 1;
        *lite.rready = 1;
        for (bool asked = false;;) {
            clock = 0;
            dut.eval();
            const bool taken = *lite.arready, answered = asked && *lite.rvalid;
            const std::uint32_t value = *lite.rdata;
            clock = 1;
            dut.eval();
            if (answered) return value;
            if (taken && !asked) {
                asked = true;
                *lite.arvalid = 0;
            }
        }
    }

    Dut& dut;
    std::uint8_t& clock;
    std::uint8_t& reset_pin;
    std::uint8_t asserted;
    std::vector<Stream> streams;
    Random random{0};
    bool gaps = false;
    std::uint64_t reset_in = never, patience = 1000000, ahead = 0;

    template <class Data>
    void add(std::uint8_t& valid, std::uint8_t& ready, Data& data, unsigned bits, std::size_t frame, bool read) {
        Stream stream{};
        stream.valid = &valid;
        stream.ready = &ready;
        stream.data = reinterpret_cast<unsigned char*>(&data);
        stream.port_bytes = sizeof(Data);
        stream.word_bytes = (bits + 7) / 8;
        stream.frame = frame;
        stream.read = read;
        streams.push_back(stream);
    }

    int usage() const {
        std::fprintf(stderr, "usage: PROGRAM [--gaps SEED] [--reset CYCLE] [--patience CYCLES] [--ahead WORDS] "
                             "[--registers COUNT] INPUT... OUTPUT...\n");
        return 2;
    }

    static bool load(Stream& stream) {
        std::FILE* file = std::fopen(stream.path.c_str(), "rb");
        if (!file) {
            std::fprintf(stderr, "cannot open `%s`\n", stream.path.c_str());
            return false;
        }
        unsigned char buffer[65536];
        for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) {
            stream.words.insert(stream.words.end(), buffer, buffer + n);
        }
        std::fclose(file);
        return true;
    }

    static bool save(const Stream& stream) {
        std::vector<unsigned char> cycles;
        for (std::uint64_t cycle : stream.cycles) {
            for (int byte = 0; byte < 8; ++byte) cycles.push_back(cycle >> (8 * byte) & 255);
        }
        return write(stream.path, stream.words) && write(stream.path + ".cycles", cycles);
    }

    static bool write(const std::string& path, const std::vector<unsigned char>& bytes) {
        std::FILE* file = std::fopen(path.c_str(), "wb");
        const bool written = file && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
        if (!file || std::fclose(file) != 0 || !written) {
            std::fprintf(stderr, "cannot write `%s`\n", path.c_str());
            return false;
        }
        return true;
    }

    void reset() {
        reset_pin = asserted;
        for (Stream& stream : streams) *(stream.read ? stream.valid : stream.ready) = 0;
        for (int cycle = 0; cycle < 3; ++cycle) edge();
        reset_pin = !asserted;
    }

    void edge() {
        clock = 0;
        dut.eval();
        clock = 1;
        dut.eval();
    }

    /// With gaps: whether a stream is open in this cycle. Runs of both kinds, short and long ones.
    bool opened(Stream& stream) {
        if (!gaps) return true;
        if (stream.stays == 0) {
            stream.open = random.next() % 2 == 0;
            stream.stays = 1 + random.next() % (random.next() % 4 == 0 ? 40 : 4);
        }
        --stream.stays;
        return stream.open;
    }

    /// Runs so many cycles, or until all words have left. A word that was offered stays until it is taken.
    int drive(std::uint64_t cycles, bool to_the_end) {
        std::uint64_t moved = 0, ended = never;
        for (std::uint64_t cycle = 0; cycle < cycles; ++cycle) {
            bool left = false;
            for (Stream& stream : streams) {
                if (stream.read) {
                    const bool more = stream.at < stream.count();
                    const bool offered = *stream.valid && stream.held.size() == 1;
                    *stream.valid = more && (offered || opened(stream));
                    if (stream.last) *stream.last = (stream.at + 1) % stream.frame == 0;
                    if (more) std::memcpy(stream.data, &stream.words[stream.at * stream.word_bytes], stream.word_bytes);
                } else {
                    *stream.ready = opened(stream);
                    left = left || stream.at < stream.wanted;
                }
            }
            clock = 0;
            dut.eval();
            for (Stream& stream : streams) {
                const bool taken = *stream.valid && *stream.ready;
                if (stream.read) {
                    // Remembers that a word is waiting.
                    stream.held.assign(*stream.valid && !taken ? 1 : 0, 0);
                } else {
                    const std::vector<unsigned char> word(stream.data, stream.data + stream.word_bytes);
                    if (!stream.held.empty() && (!*stream.valid || word != stream.held)) {
                        std::fprintf(stderr, "cycle %llu: a word changed before it was taken\n",
                                     static_cast<unsigned long long>(cycle));
                        return 5;
                    }
                    stream.held = *stream.valid && !taken ? word : std::vector<unsigned char>();
                    if (taken && stream.at < stream.wanted) {
                        stream.words.insert(stream.words.end(), word.begin(), word.end());
                        stream.cycles.push_back(cycle);
                        const bool ends = (stream.at + 1) % stream.frame == 0;
                        if (stream.last && (*stream.last == 1) != ends) {
                            std::fprintf(stderr, "cycle %llu: TLAST is wrong\n", static_cast<unsigned long long>(cycle));
                            return 6;
                        }
                    } else if (taken) {
                        if (to_the_end && stream.at >= stream.wanted + ahead) {
                            std::fprintf(stderr, "cycle %llu: a word too many\n",
                                         static_cast<unsigned long long>(cycle));
                            return 4;
                        }
                    }
                }
                if (taken) {
                    ++stream.at;
                    moved = cycle;
                }
            }
            clock = 1;
            dut.eval();
            if (!left && ended == never) ended = cycle;
            if (ended != never && cycle >= ended + after && to_the_end) return 0;
            if (to_the_end && left && cycle - moved > patience) {
                std::fprintf(stderr, "nothing moved since cycle %llu\n", static_cast<unsigned long long>(moved));
                return 3;
            }
        }
        return 0;
    }
};

}  // namespace finnp

#endif
