// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Drives a module that Verilator compiled: feeds its streams from files, records what it writes and when.
//
//   PROGRAM [--gaps SEED] [--reset CYCLE] [--patience CYCLES] [--ahead WORDS] INPUT... OUTPUT WORDS...
//
// One file per stream that is read, and one file and a number of words for each that is written, in the order of the
// module's ports. Words are whole bytes, the lowest first. OUTPUT.cycles receives, as 64-bit numbers, the lowest byte
// first, the cycle in which each word left; cycle 0 is the first one after reset. With gaps inputs are not always
// there and outputs not always wanted, at random. With a reset in a cycle all streams begin again after it.
// So many words of the next frame may follow, as a window makes them that sees nothing but padding; they are not kept.
// Exits with 0 if all words left and no others did, 3 if nothing moved for PATIENCE cycles, 4 if a word was too many,
// 5 if a word that was not taken changed, 2 if it was called wrongly.
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
    /// Whether a word is offered or wanted in this cycle, and for how many more cycles that stays so.
    bool open = true;
    unsigned stays = 0;
    /// A word that was offered and not taken must stay.
    std::vector<unsigned char> held;
    std::string path;

    std::size_t count() const { return word_bytes ? words.size() / word_bytes : 0; }
};

template <class Dut>
class Bench {
public:
    explicit Bench(Dut& dut) : dut(dut) {}

    template <class Data>
    void reads(std::uint8_t& valid, std::uint8_t& ready, Data& data, unsigned bits) {
        add(valid, ready, data, bits, true);
    }
    template <class Data>
    void writes(std::uint8_t& valid, std::uint8_t& ready, Data& data, unsigned bits) {
        add(valid, ready, data, bits, false);
    }

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
            else if (name == "--ahead") ahead = value;
            else return usage();
        }
        std::size_t next = 0;
        for (Stream& stream : streams) {
            if (next + (stream.read ? 1 : 2) > names.size()) return usage();
            stream.path = names[next++];
            if (stream.read) {
                if (!load(stream)) return 2;
            } else {
                stream.wanted = std::strtoull(names[next++].c_str(), nullptr, 10);
            }
        }
        if (next != names.size()) return usage();
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
        return ended;
    }

private:
    static constexpr std::uint64_t never = ~std::uint64_t(0);
    /// Cycles after the last word in which no other may come.
    static constexpr std::uint64_t after = 64;

    Dut& dut;
    std::vector<Stream> streams;
    Random random{0};
    bool gaps = false;
    std::uint64_t reset_in = never, patience = 1000000, ahead = 0;

    template <class Data>
    void add(std::uint8_t& valid, std::uint8_t& ready, Data& data, unsigned bits, bool read) {
        Stream stream{};
        stream.valid = &valid;
        stream.ready = &ready;
        stream.data = reinterpret_cast<unsigned char*>(&data);
        stream.port_bytes = sizeof(Data);
        stream.word_bytes = (bits + 7) / 8;
        stream.read = read;
        stream.open = true;
        streams.push_back(stream);
    }

    int usage() const {
        std::fprintf(stderr, "usage: PROGRAM [--gaps SEED] [--reset CYCLE] [--patience CYCLES] [--ahead WORDS] INPUT... "
                             "OUTPUT WORDS...\n");
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
        dut.rst = 1;
        for (Stream& stream : streams) *(stream.read ? stream.valid : stream.ready) = 0;
        for (int cycle = 0; cycle < 3; ++cycle) edge();
        dut.rst = 0;
    }

    void edge() {
        dut.clk = 0;
        dut.eval();
        dut.clk = 1;
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
                    if (more) std::memcpy(stream.data, &stream.words[stream.at * stream.word_bytes], stream.word_bytes);
                } else {
                    *stream.ready = opened(stream);
                    left = left || stream.at < stream.wanted;
                }
            }
            dut.clk = 0;
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
            dut.clk = 1;
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
