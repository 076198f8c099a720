// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Vector-vector-threshold unit: a depthwise convolution, with the window in front of it.
#ifndef FINNP_VVAU_HPP
#define FINNP_VVAU_HPP

#include "sliding.hpp"
#include "threshold.hpp"

namespace finnp {

/// A kernel per channel; PE channels and SIMD positions of the kernel a cycle.
/// Shape S has what `Sliding` has, and:
///   In, Weight, Out          element types; Out is Int<ACC> where there are no thresholds
///   PAD                      value of the padding, which In need not hold
///   ACC                      bits of an accumulator, two's complement
///   PE, SIMD                 PE divides the channels, SIMD need not divide the kernel
///   THRESHOLDS, THRESHOLD_BITS, BASE   as in threshold.hpp; THRESHOLDS = 0 where there are none
template <class S>
struct Vvau {
    using In = typename S::In;
    using Weight = typename S::Weight;
    using Out = typename S::Out;
    using Window = Sliding<In, S, S::PE, S::PE, S::PE, S::SIMD>;
    using Source = Frame<In, S::PE, S::CHANNELS, S::ROWS * S::COLUMNS>;
    using Sink = Frame<Out, S::PE, S::CHANNELS, S::PLACE_ROWS * S::PLACE_COLUMNS>;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;
    using State = typename Window::State;
    static constexpr int AHEAD = Window::AHEAD;
    static constexpr int NF = Sink::WORDS;
    static constexpr int STEPS = Window::STEPS;
    static constexpr int LEVELS = S::THRESHOLDS > 0 ? S::THRESHOLDS : 1;
    /// weights[f * STEPS + k][p][s]: code of channel f * PE + p, position k * SIMD + s.
    using Weights = typename Weight::code[NF * STEPS][S::PE][S::SIMD];
    /// thresholds[f][p]: ascending, of channel f * PE + p.
    using Thresholds = ap_int<S::THRESHOLD_BITS>[NF][S::PE][LEVELS];
    /// flip[f][p]: whether that channel counts the thresholds that are not reached.
    using Flip = ap_uint<1>[NF][S::PE];
    using Accumulator = ap_int<S::ACC>;

    /// Writes the accumulators themselves.
    static void run(Input& in, Output& out, const Weights& weights, State& state) {
#pragma HLS INLINE
        const Thresholds none = {};
        const Flip never = {};
        accumulate<false>(in, out, weights, none, never, state);
    }

    /// Writes each accumulator through the thresholds of its channel.
    static void run(Input& in, Output& out, const Weights& weights, const Thresholds& thresholds,
                    const Flip& flip, State& state) {
#pragma HLS INLINE
        accumulate<true>(in, out, weights, thresholds, flip, state);
    }

private:
    /// Bits, two's complement, of the padding times a weight, and of the products of one step.
    static constexpr int PAD_BITS =
        S::PAD == 0 ? 1 : index_bits((S::PAD < 0 ? -S::PAD : S::PAD) + 1) + 1 + Weight::value_bits;
    static constexpr int TERM_BITS = PAD_BITS > product_bits<In, Weight> ? PAD_BITS : product_bits<In, Weight>;
    static constexpr int WIDE = TERM_BITS + index_bits(S::SIMD);
    using Sum = ap_int<(WIDE < S::ACC ? WIDE : S::ACC)>;

    template <bool STAIRCASE>
    static void accumulate(Input& in, Output& out, const Weights& weights,
                           [[maybe_unused]] const Thresholds& thresholds, [[maybe_unused]] const Flip& flip,
                           State& state) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=state.ring complete dim=1
#pragma HLS ARRAY_PARTITION variable=state.ring complete dim=3
#pragma HLS BIND_STORAGE variable=state.ring type=ram_1wnr
        Accumulator sums[S::PE];
#pragma HLS ARRAY_PARTITION variable=sums complete dim=1
        Index<NF * STEPS> weight_step = 0;
        typename Window::Walk walk(state);
        while (!walk.done(state)) {
#pragma HLS PIPELINE II=1 style=flp
#pragma HLS LOOP_TRIPCOUNT min=1
            FINNP_CYCLE();
            const bool ready = walk.ready(state), room = walk.room(state);
            if (ready) {
                typename Window::Chunk chunks[S::SIMD];
                bool inside[S::SIMD];
#pragma HLS ARRAY_PARTITION variable=chunks complete dim=1
#pragma HLS ARRAY_PARTITION variable=inside complete dim=1
                for (int s = 0; s < S::SIMD; ++s) {
#pragma HLS UNROLL
                    chunks[s] = walk.chunk(state, s);
                    inside[s] = walk.inside(s);
                }
                typename Sink::Word result = 0;
                for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
                    Sum sum = 0;
                    for (int s = 0; s < S::SIMD; ++s) {
#pragma HLS UNROLL
                        const typename Weight::code weight = weights[weight_step][p][s];
                        if (!walk.exists(s)) continue;
                        if (inside[s]) sum += product<In, Weight>(element_of<In>(chunks[s], p), weight);
                        else if (S::PAD != 0) sum += S::PAD * int(Weight::decode(weight));
                    }
                    const Accumulator before = walk.step == 0 ? Accumulator(0) : sums[p];
                    const Accumulator total = before + sum;
                    sums[p] = total;
                    if (walk.last()) {
                        place<Out>(result, p,
                                   activated<STAIRCASE, Out, S::BASE>(total, thresholds[walk.group][p], flip[walk.group][p]));
                    }
                }
                if (walk.last()) out.write(result);
                if (weight_step == NF * STEPS - 1) weight_step = 0;
                else ++weight_step;
            }
            Window::read(in, state, room, ready);
            if (ready) walk.next(state);
        }
    }
};

}  // namespace finnp

#endif
