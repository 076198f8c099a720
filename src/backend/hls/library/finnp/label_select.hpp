// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Label select: the index of the largest element of a pixel.
#ifndef FINNP_LABEL_SELECT_HPP
#define FINNP_LABEL_SELECT_HPP

#include "frame.hpp"

namespace finnp {

/// Shape S has:
///   In                       element type
///   CHANNELS, PE, PIXELS     elements of a pixel, elements of a word, pixels of a frame
/// One word per pixel comes out: the index of the largest element; the lowest index wins a tie.
template <class S>
struct LabelSelect {
    using In = typename S::In;
    using Out = Uint<index_bits(S::CHANNELS)>;
    using Source = Frame<In, S::PE, S::CHANNELS, S::PIXELS>;
    using Sink = Frame<Out, 1, 1, S::PIXELS>;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;

    static void run(Input& in, Output& out) {
#pragma HLS INLINE
        typename In::value best = 0;
        typename Out::code label = 0;
        Index<Source::WORDS> fold = 0;
        for (int step = 0; step < S::PIXELS * Source::WORDS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
            FINNP_CYCLE();
            const typename Source::Word word = in.read();
            // First the best of the word, which no earlier step is needed for.
            typename In::value word_best = In::decode(element_of<In>(word, 0));
            int lane = 0;
            for (int p = 1; p < S::PE; ++p) {
#pragma HLS UNROLL
                const typename In::value value = In::decode(element_of<In>(word, p));
                const bool padding = p >= Source::LAST && fold == Source::WORDS - 1;
                if (!padding && value > word_best) {
                    word_best = value;
                    lane = p;
                }
            }
            if (fold == 0 || word_best > best) {
                best = word_best;
                label = typename Out::code(int(fold) * S::PE + lane);
            }
            if (fold == Source::WORDS - 1) {
                out.write(label);
                fold = 0;
            } else {
                ++fold;
            }
        }
    }
};

}  // namespace finnp

#endif
