// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Width converter: the same elements, another number of elements per word.
#ifndef FINNP_WIDTH_CONVERTER_HPP
#define FINNP_WIDTH_CONVERTER_HPP

#include "frame.hpp"

namespace finnp {

constexpr int greatest_divisor(int a, int b) { return b == 0 ? a : greatest_divisor(b, a % b); }

/// Shape S has:
///   Element                  element type, the same on both sides
///   CHANNELS, PIXELS         elements of a pixel, pixels of a frame
///   IN, OUT                  elements of an input word, of an output word: any two numbers
/// The input's padding is dropped, the output's padding is zero bits.
///
/// Cycles per pixel, with i = ceil(CHANNELS / IN) and o = ceil(CHANNELS / OUT):
///   OUT <= IN:  o           (a word leaves in every cycle)
///   OUT >  IN:  i + extra   (a word arrives in every cycle), where extra is 0, or 1 if the last
///               arrival fills a word and leaves a remainder: o - floor(IN * (i - 1) / OUT) - 1.
///               Where IN divides OUT, extra is 0.
template <class S>
struct WidthConverter {
    using Element = typename S::Element;
    using Source = Frame<Element, S::IN, S::CHANNELS, S::PIXELS>;
    using Sink = Frame<Element, S::OUT, S::CHANNELS, S::PIXELS>;
    using Input = typename Source::Stream;
    using Output = typename Sink::Stream;
    static constexpr int STEPS = S::OUT <= S::IN
                                     ? Sink::WORDS
                                     : Source::WORDS + Sink::WORDS - S::IN * (Source::WORDS - 1) / S::OUT - 1;

    static void run(Input& in, Output& out) {
#pragma HLS INLINE
        Unit slots[SLOTS];
#pragma HLS ARRAY_PARTITION variable=slots complete dim=1
        Index<SLOTS + 1> held = 0;
        Index<Source::WORDS + 1> arrived = 0;
        Index<STEPS> pixel_step = 0;
        for (int step = 0; step < S::PIXELS * STEPS; ++step) {
#pragma HLS PIPELINE II=1 rewind style=flp
            FINNP_CYCLE();
            if (held < UNITS_OUT && arrived < Source::WORDS) {
                typename Source::Word word = in.read();
                ++arrived;
                if (arrived == Source::WORDS) clear_padding(word);
                for (int k = 0; k < SLOTS; ++k) {
#pragma HLS UNROLL
                    for (int u = 0; u < UNITS_IN; ++u) {
#pragma HLS UNROLL
                        if (k == int(held) + u) slots[k] = word((u + 1) * UNIT_BITS - 1, u * UNIT_BITS);
                    }
                }
                held += UNITS_IN;
            }
            if (held >= UNITS_OUT || arrived == Source::WORDS) {
                typename Sink::Word word = 0;
                for (int u = 0; u < UNITS_OUT; ++u) {
#pragma HLS UNROLL
                    word((u + 1) * UNIT_BITS - 1, u * UNIT_BITS) = u < int(held) ? slots[u] : Unit(0);
                }
                out.write(word);
                for (int k = 0; k < SLOTS; ++k) {
#pragma HLS UNROLL
                    if (k + UNITS_OUT < SLOTS) slots[k] = slots[k + UNITS_OUT < SLOTS ? k + UNITS_OUT : k];
                }
                if (held > UNITS_OUT) held -= UNITS_OUT;
                else held = 0;
            }
            if (pixel_step == STEPS - 1) {
                pixel_step = 0;
                held = 0;
                arrived = 0;
            } else {
                ++pixel_step;
            }
        }
    }

private:
    // A unit is the largest group of elements that both words consist of, so nothing is ever
    // shifted by less, and a whole ratio needs no shifter at all.
    static constexpr int UNIT = greatest_divisor(S::IN, S::OUT);
    static constexpr int UNIT_BITS = UNIT * Element::bits;
    static constexpr int UNITS_IN = S::IN / UNIT;
    static constexpr int UNITS_OUT = S::OUT / UNIT;
    static constexpr int SLOTS = UNITS_OUT - 1 + UNITS_IN;
    using Unit = ap_uint<UNIT_BITS>;

    static void clear_padding(typename Source::Word& word) {
#pragma HLS INLINE
        for (int i = Source::LAST; i < S::IN; ++i) {
#pragma HLS UNROLL
            place<Element>(word, i, typename Element::code(0));
        }
    }
};

}  // namespace finnp

#endif
