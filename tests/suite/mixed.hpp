// Cores that Verilator compiled, called like functions of C++: each call moves one frame through.
// Must not know which cores.
#ifndef MIXED_HPP
#define MIXED_HPP

#include <ap_axi_sdata.h>
#include <ap_int.h>
#include <hls_stream.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <vector>

namespace mixed {

using Bytes = std::vector<unsigned char>;

template <int N>
Bytes bytes(const ap_uint<N>& word) {
    Bytes all((N + 7) / 8);
    for (int bit = 0; bit < N; ++bit) all[bit / 8] |= static_cast<unsigned char>(bool(word[bit])) << (bit % 8);
    return all;
}
template <int N>
void fill(ap_uint<N>& word, const Bytes& all) {
    for (int bit = 0; bit < N; ++bit) word[bit] = all[bit / 8] >> (bit % 8) & 1;
}
// An edge: TLAST is what the core says.
template <int N>
Bytes bytes(const ap_axiu<N, 0, 0, 0>& word) { return bytes(ap_uint<N>(word.data)); }

struct Port {
    unsigned char *valid, *ready, *data;
    unsigned char* last;
    std::deque<Bytes> words;
    std::size_t count, moved = 0;
    std::function<void(const Bytes&, bool)> take;
};

template <class Dut>
class Core {
public:
    Core(Dut& dut, bool& started) : dut(dut), started(started) {}

    template <class Stream, class Data>
    void reads(Stream& stream, std::size_t count, unsigned char& valid, unsigned char& ready, Data& data) {
        Port port{&valid, &ready, reinterpret_cast<unsigned char*>(&data), nullptr, {}, count, 0, {}};
        for (std::size_t at = 0; at < count; ++at) port.words.push_back(bytes(stream.read()));
        inputs.push_back(port);
    }
    template <int N, class Data>
    void writes(hls::stream<ap_uint<N>>& stream, std::size_t count, unsigned char& valid, unsigned char& ready, Data& data) {
        const auto take = [&stream](const Bytes& all, bool) {
            ap_uint<N> word;
            fill(word, all);
            stream.write(word);
        };
        outputs.push_back({&valid, &ready, reinterpret_cast<unsigned char*>(&data), nullptr, {}, count, 0, take});
        sizes.push_back((N + 7) / 8);
    }
    template <int N, class Data>
    void writes(hls::stream<ap_axiu<N, 0, 0, 0>>& stream, std::size_t count, unsigned char& valid, unsigned char& ready,
                Data& data, unsigned char& last) {
        const auto take = [&stream](const Bytes& all, bool is_last) {
            ap_axiu<N, 0, 0, 0> word;
            ap_uint<N> value;
            fill(value, all);
            word.data = value;
            word.keep = -1;
            word.strb = -1;
            word.last = is_last;
            stream.write(word);
        };
        outputs.push_back({&valid, &ready, reinterpret_cast<unsigned char*>(&data), &last, {}, count, 0, take});
        sizes.push_back((N + 7) / 8);
    }

    /// Until every output has had its words. Neighbours are not always there: a word waits now and then on both sides.
    void run() {
        if (!started) {
            dut.ap_rst_n = 0;
            for (int at = 0; at < 4; ++at) cycle();
            dut.ap_rst_n = 1;
            started = true;
        }
        const auto busy = [&] {
            for (const Port& port : inputs) if (port.moved < port.count) return true;
            for (const Port& port : outputs) if (port.moved < port.count) return true;
            return false;
        };
        for (unsigned long at = 0; busy(); ++at) {
            if (at > 10000000) {
                std::fprintf(stderr, "nothing moves any more\n");
                std::exit(3);
            }
            for (Port& port : inputs) {
                *port.valid = port.moved < port.count && (*port.valid || at % 7 != 3);
                const Bytes& word = port.words[port.moved < port.count ? port.moved : 0];
                for (std::size_t byte = 0; byte < word.size(); ++byte) port.data[byte] = word[byte];
            }
            for (Port& port : outputs) *port.ready = port.moved < port.count && at % 5 != 2;
            dut.ap_clk = 0;
            dut.eval();
            std::vector<Port*> moving;
            for (Port& port : inputs) if (*port.valid && *port.ready) moving.push_back(&port);
            for (std::size_t slot = 0; slot < outputs.size(); ++slot) {
                Port& port = outputs[slot];
                if (!*port.valid || !*port.ready) continue;
                port.take(Bytes(port.data, port.data + sizes[slot]), port.last && *port.last);
                moving.push_back(&port);
            }
            dut.ap_clk = 1;
            dut.eval();
            for (Port* port : moving) {
                ++port->moved;
                if (port->take == nullptr) *port->valid = 0;
            }
        }
        // The last edge is over; nothing is offered or wanted between calls.
        for (Port& port : inputs) *port.valid = 0;
        for (Port& port : outputs) *port.ready = 0;
    }

private:
    void cycle() {
        dut.ap_clk = 0;
        dut.eval();
        dut.ap_clk = 1;
        dut.eval();
    }

    Dut& dut;
    bool& started;
    std::vector<Port> inputs, outputs;
    std::vector<std::size_t> sizes;
};

}  // namespace mixed

#endif
