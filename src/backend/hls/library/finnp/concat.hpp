// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Concat: the channels of several streams side by side, each stream times an integer.
#ifndef FINNP_CONCAT_HPP
#define FINNP_CONCAT_HPP

#include "frame.hpp"
#include "scaled.hpp"

namespace finnp {

/// One input: its element type with its gain, `Scaled`, and its channels.
template <class SCALED, int CHANNELS_>
struct Part {
    using In = SCALED;
    using Element = typename SCALED::Element;
    static constexpr int CHANNELS = CHANNELS_;
};

/// The inputs in their order.
template <class... P>
struct Parts {};

/// Shape S has:
///   Inputs                   the inputs, `Parts`
///   Out                      element type that holds every element
///   PE, PIXELS               channels of a word, which divide those of every input; pixels of a frame
/// Of each pixel the words of the first input leave first, then those of the second: one word per cycle.
template <class S, class Inputs = typename S::Inputs>
struct Concat;

template <class S, class... P>
struct Concat<S, Parts<P...>> {
    using Out = typename S::Out;
    template <class Q>
    using Source = Frame<typename Q::Element, S::PE, Q::CHANNELS, S::PIXELS>;
    using Sources = Frames<Source<P>...>;
    using Sink = Frame<Out, S::PE, (P::CHANNELS + ...), S::PIXELS>;
    template <int I>
    using Input = typename Sources::template At<I>::Stream;
    using Output = typename Sink::Stream;
    static_assert(((P::CHANNELS % S::PE == 0) && ...), "no word belongs to two inputs");

    static void run(typename Source<P>::Stream&... in, Output& out) {
#pragma HLS INLINE
        Index<Sink::WORDS> index = 0;
        for (int step = 0; step < S::PIXELS * Sink::WORDS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
            FINNP_CYCLE();
            typename Sink::Word result = 0;
            take<0, P...>(index, result, in...);
            out.write(result);
            if (index == Sink::WORDS - 1) index = 0;
            else ++index;
        }
    }

private:
    /// Reads word `index` of a pixel from the input that has it; the words of Q are the FIRST and those behind it.
    template <int FIRST, class Q, class... Rest, class Stream, class... Streams>
    static void take(const Index<Sink::WORDS>& index, typename Sink::Word& result, Stream& in,
                     [[maybe_unused]] Streams&... rest) {
#pragma HLS INLINE
        constexpr int NEXT = FIRST + Source<Q>::WORDS;
        if (index < NEXT) {
            const typename Source<Q>::Word word = in.read();
            for (int p = 0; p < S::PE; ++p) {
#pragma HLS UNROLL
                const Whole<Out> value = scaled<typename Q::In, Whole<Out>>(element_of<typename Q::Element>(word, p));
                place<Out>(result, p, Out::encode(typename Out::value(value)));
            }
        } else if constexpr (sizeof...(Rest) > 0) {
            take<NEXT, Rest...>(index, result, rest...);
        }
    }
};

}  // namespace finnp

#endif
