// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Duplicate: the same stream for several readers.
#ifndef FINNP_DUPLICATE_HPP
#define FINNP_DUPLICATE_HPP

#include "frame.hpp"

namespace finnp {

/// Shape S has:
///   In                       element type
///   CHANNELS, PE, PIXELS     channels of a pixel, channels of a word, pixels of a frame
///   COPIES                   outputs
/// One word per cycle, to all outputs at once: it waits for the one that has no room.
template <class S>
struct Duplicate {
    using Source = Frame<typename S::In, S::PE, S::CHANNELS, S::PIXELS>;
    using Sink = Source;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;
    static constexpr int COPIES = S::COPIES;

    template <class... Outputs>
    static void run(Input& in, Outputs&... out) {
#pragma HLS INLINE
        static_assert(sizeof...(Outputs) == COPIES, "one stream for each copy");
        for (int step = 0; step < S::PIXELS * Source::WORDS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
            FINNP_CYCLE();
            const typename Source::Word word = in.read();
            (out.write(word), ...);
        }
    }
};

}  // namespace finnp

#endif
