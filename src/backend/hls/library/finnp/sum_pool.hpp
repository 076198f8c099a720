// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Sum-pool: the sum of the elements of each channel that a window sees.
#ifndef FINNP_SUM_POOL_HPP
#define FINNP_SUM_POOL_HPP

#include "pool.hpp"

namespace finnp {

/// Padding counts as PAD, which In need not hold.
template <class S>
struct Sum {
    using In = typename S::In;
    using Out = typename S::Out;
    using Value = typename Out::value;
    static Value start() { return Value(0); }
    static Value padding() { return Value(S::PAD); }
    static Value value(typename In::code code) { return Value(In::decode(code)); }
    static Value both(Value a, Value b) { return Value(a + b); }
    static typename Out::code encode(Value value) { return Out::encode(value); }
};

/// Shape S is as in pool.hpp, and has:
///   Out                      type of a sum
///   PAD                      value of the padding
template <class S>
struct SumPool : Pool<S, Sum<S>> {
    using Base = Pool<S, Sum<S>>;

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
