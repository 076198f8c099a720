// Products of several rows in one multiplier, for all weights and inputs there are, or every STRIDE-th combination.
// Prints how many were tried; 1 if one was wrong. ROWS, W_BITS, X_BITS, X_KIND and STRIDE are defined outside.
#include "Vdut.h"

#include <cstdint>
#include <cstdio>
#include <vector>

static std::int64_t value(std::uint64_t code, unsigned bits, bool is_signed) {
    code &= (1ull << bits) - 1;
    return is_signed && code >> (bits - 1) ? std::int64_t(code) - (1ll << bits) : std::int64_t(code);
}

int main() {
    constexpr unsigned latency = 5, result = 16;
    const std::uint64_t all = 1ull << (ROWS * W_BITS + X_BITS);
    std::vector<std::uint64_t> fed;
    Vdut dut;
    std::uint64_t wrong = 0;
    for (std::uint64_t code = 0; code < all + latency * STRIDE; code += STRIDE) {
        fed.push_back(code % all);
        dut.weights = fed.back() & ((1ull << (ROWS * W_BITS)) - 1);
        dut.inputs = fed.back() >> (ROWS * W_BITS);
        dut.clk = 0;
        dut.eval();
        dut.clk = 1;
        dut.eval();
        if (fed.size() < latency) continue;
        const std::uint64_t then = fed[fed.size() - latency];
        const std::int64_t x = value(then >> (ROWS * W_BITS), X_BITS, X_KIND == 1);
        for (unsigned row = 0; row < ROWS; ++row) {
            const std::int64_t w = value(then >> (row * W_BITS), W_BITS, true);
            if (value(std::uint64_t(dut.sums) >> (row * result), result, true) != w * x) ++wrong;
        }
    }
    std::printf("%llu\n", static_cast<unsigned long long>(fed.size() - latency + 1));
    return wrong != 0;
}
