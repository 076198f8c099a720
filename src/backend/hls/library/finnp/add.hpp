// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Add: the sum of two streams, element by element, each times an integer.
#ifndef FINNP_ADD_HPP
#define FINNP_ADD_HPP

#include "frame.hpp"
#include "scaled.hpp"

namespace finnp {

/// Shape S has:
///   A, B                     inputs: element types with their gains, `Scaled`
///   Out                      element type that holds every sum
///   CHANNELS, PE, PIXELS     channels of a pixel, channels of a word, pixels of a frame
/// One word of each input per cycle.
template <class S>
struct Add {
    using Out = typename S::Out;
    using SourceA = Frame<typename S::A::Element, S::PE, S::CHANNELS, S::PIXELS>;
    using SourceB = Frame<typename S::B::Element, S::PE, S::CHANNELS, S::PIXELS>;
    using Sources = Frames<SourceA, SourceB>;
    using Sink = Frame<Out, S::PE, S::CHANNELS, S::PIXELS>;
    template <int I>
    using Input = typename Sources::template At<I>::Stream;
    using Output = typename Sink::Stream;

    static void run(Input<0>& a, Input<1>& b, Output& out) {
#pragma HLS INLINE
        using Sum = Whole<Out>;
        for (int step = 0; step < S::PIXELS * Sink::WORDS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
            FINNP_CYCLE();
            const typename SourceA::Word left = a.read();
            const typename SourceB::Word right = b.read();
            typename Sink::Word result = 0;
            for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
                const Sum first = scaled<typename S::A, Sum>(element_of<typename S::A::Element>(left, p));
                const Sum second = scaled<typename S::B, Sum>(element_of<typename S::B::Element>(right, p));
                place<Out>(result, p, Out::encode(typename Out::value(first + second)));
            }
            out.write(result);
        }
    }
};

}  // namespace finnp

#endif
