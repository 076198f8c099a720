// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Sliding window: what a convolution sees at each place, one place after the other.
#ifndef FINNP_SLIDING_WINDOW_HPP
#define FINNP_SLIDING_WINDOW_HPP

#include "sliding.hpp"

namespace finnp {

/// Shape S has what `Sliding` has, and:
///   In, Out                  element types; Out holds all that In holds, and the padding
///   PAD                      value of the padding
///   GROUPS                   groups of channels; those of a place are pixels of their own
///   PE                       elements of an input word: a divisor of the channels, or whole pixels that
///                            divide a row
///   SIMD                     elements of an output word: a divisor of a group's channels, or whole
///                            positions of the kernel, which divide it
template <class S>
struct SlidingWindow {
    using In = typename S::In;
    using Out = typename S::Out;
    static constexpr int GROUP = S::CHANNELS / S::GROUPS;
    static constexpr int CHUNK = S::SIMD < GROUP ? S::SIMD : GROUP;
    static constexpr int LANES = S::SIMD / CHUNK;
    using Window = Sliding<In, S, S::PE, GROUP, CHUNK, LANES>;
    static constexpr int TOGETHER = S::PE > S::CHANNELS ? S::PE / S::CHANNELS : 1;
    using Source = Frame<In, S::PE, S::CHANNELS * TOGETHER, S::ROWS * S::COLUMNS / TOGETHER>;
    using Sink = Frame<Out, S::SIMD, Window::POSITIONS * GROUP, S::PLACE_ROWS * S::PLACE_COLUMNS * S::GROUPS>;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;
    using State = typename Window::State;
    static constexpr int AHEAD = Window::AHEAD;
    static_assert(Window::POSITIONS % LANES == 0, "positions fill all words");

    static void run(Input& in, Output& out, State& state) {
#pragma HLS INLINE
#pragma HLS ARRAY_PARTITION variable=state.ring complete dim=1
#pragma HLS ARRAY_PARTITION variable=state.ring complete dim=3
#pragma HLS BIND_STORAGE variable=state.ring type=ram_1wnr
        typename Window::Walk walk(state);
        while (!walk.done(state)) {
#pragma HLS PIPELINE II=1 style=flp
#pragma HLS LOOP_TRIPCOUNT min=1
            FINNP_CYCLE();
            const bool ready = walk.ready(state), room = walk.room(state);
            if (ready) {
                typename Sink::Word word = 0;
                for (int lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
                    const bool inside = walk.inside(lane);
                    const typename Window::Chunk chunk = walk.chunk(state, lane);
                    for (int i = 0; i < CHUNK; ++i) {
#pragma HLS UNROLL
                        place<Out>(word, lane * CHUNK + i, inside ? widened(element_of<In>(chunk, i)) : padding());
                    }
                }
                out.write(word);
            }
            Window::read(in, state, room, ready);
            if (ready) walk.next(state);
        }
    }

private:
    static typename Out::code padding() {
#pragma HLS INLINE
        return Out::encode(typename Out::value(S::PAD));
    }

    /// The same value in the output's type.
    static typename Out::code widened(typename In::code code) {
#pragma HLS INLINE
        if constexpr (same_type<In, Out>) return code;
        else return Out::encode(typename Out::value(In::decode(code)));
    }
};

}  // namespace finnp

#endif
