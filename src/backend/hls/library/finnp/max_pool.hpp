// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Max-pool: the largest element of each channel that a window sees.
#ifndef FINNP_MAX_POOL_HPP
#define FINNP_MAX_POOL_HPP

#include "pool.hpp"

namespace finnp {

/// Padding is never larger than an element.
template <class In>
struct Largest {
    using Out = In;
    using Value = typename In::value;
    static Value start() { return In::lowest(); }
    static Value padding() { return In::lowest(); }
    static Value value(typename In::code code) { return In::decode(code); }
    static Value both(Value a, Value b) { return a > b ? a : b; }
    static typename In::code encode(Value value) { return In::encode(value); }
};

/// Shape S is as in pool.hpp.
template <class S>
struct MaxPool : Pool<S, Largest<typename S::In>> {
    using Base = Pool<S, Largest<typename S::In>>;

    /// Windows that lie side by side.
    static void run(typename Base::Input& in, typename Base::Output& out) {
#pragma HLS INLINE
        Base::side_by_side(in, out);
    }

    /// Any other windows.
    static void run(typename Base::Input& in, typename Base::Output& out, typename Base::State& state) {
#pragma HLS INLINE
        Base::overlapping(in, out, state);
    }
};

}  // namespace finnp

#endif
