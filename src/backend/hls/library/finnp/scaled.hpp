// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Elements times an integer: how streams of different scales become integers of one.
#ifndef FINNP_SCALED_HPP
#define FINNP_SCALED_HPP

#include "element.hpp"

namespace finnp {

/// Bits, two's complement, of a number.
constexpr int signed_bits(long long number) {
    int bits = 1;
    while (number < 0 ? number < -(1ll << (bits - 1)) : number >= 1ll << (bits - 1)) ++bits;
    return bits;
}

/// Elements of a type, each of which counts GAIN times.
template <class ELEMENT, long long GAIN_>
struct Scaled {
    using Element = ELEMENT;
    static constexpr long long GAIN = GAIN_;
    static_assert(GAIN != 0, "a stream that counts nothing is none");
};

/// Two's complement numbers that hold every value of a type.
template <class Element>
using Whole = ap_int<Element::value_bits + (Element::is_signed ? 0 : 1)>;

/// GAIN times an element, in the bits of Sum, which holds the result. The gain is a constant: a power of two is
/// wires, others are a few adders.
template <class In, class Sum>
Sum scaled(typename In::Element::code code) {
#pragma HLS INLINE
    const typename In::Element::value value = In::Element::decode(code);
    if constexpr (In::GAIN == 1) {
        return Sum(value);
    } else {
        using Gain = ap_int<signed_bits(In::GAIN)>;
        return Sum(value * Gain(In::GAIN));
    }
}

}  // namespace finnp

#endif
