// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Element types: how many bits an element has, which integer each code stands for.
//
// `code` is the bit pattern, in streams and in memories alike; `value` is the integer it means.
#ifndef FINNP_ELEMENT_HPP
#define FINNP_ELEMENT_HPP

// The widest word; ap_int.h must see this first.
#ifndef AP_INT_MAX_W
#define AP_INT_MAX_W 4096
#endif
#include <ap_int.h>

namespace finnp {

/// ceil(a / b).
constexpr int ceil_div(int a, int b) { return (a + b - 1) / b; }

/// Bits that an index 0 .. n-1 needs, at least 1.
constexpr int index_bits(int n) {
    int bits = 1;
    while ((n - 1) >> bits) ++bits;
    return bits;
}

/// A counter of 0 .. n-1, no wider than it needs to be.
template <int n>
using Index = ap_uint<index_bits(n)>;

/// Two's complement integer of B bits.
template <int B>
struct Int {
    static constexpr int bits = B;
    using code = ap_uint<B>;
    using value = ap_int<B>;
    static constexpr int value_bits = B;
    static constexpr bool is_signed = true;
    static value lowest() { return value(-(1ll << (B - 1))); }
    static value decode(code c) { return value(c); }
    static code encode(value v) { return code(v); }
};

/// Unsigned integer of B bits.
template <int B>
struct Uint {
    static constexpr int bits = B;
    using code = ap_uint<B>;
    using value = ap_uint<B>;
    static constexpr int value_bits = B;
    static constexpr bool is_signed = false;
    static value lowest() { return value(0); }
    static value decode(code c) { return c; }
    static code encode(value v) { return v; }
};

/// One bit: code 0 is -1, code 1 is +1.
struct Bipolar {
    static constexpr int bits = 1;
    using code = ap_uint<1>;
    using value = ap_int<2>;
    static constexpr int value_bits = 2;
    static constexpr bool is_signed = true;
    static value lowest() { return value(-1); }
    static value decode(code c) { return c == 1 ? value(1) : value(-1); }
    static code encode(value v) { return v == 1 ? code(1) : code(0); }
};

/// Two bits, two's complement: -1, 0 or 1.
struct Ternary : Int<2> {
    static value lowest() { return value(-1); }
};

template <class A, class B>
constexpr bool same_type = false;
template <class A>
constexpr bool same_type<A, A> = true;

/// Whether a product with this type is a choice of sign.
template <class Element>
constexpr bool is_bipolar = same_type<Element, Bipolar>;

/// Bits, two's complement, that the product of two elements needs.
template <class A, class B>
constexpr int product_bits =
    is_bipolar<A> && is_bipolar<B> ? 2
    : is_bipolar<A>                ? B::value_bits + 1
    : is_bipolar<B>                ? A::value_bits + 1
                                   : A::value_bits + B::value_bits + (A::is_signed || B::is_signed ? 0 : 1);

/// Product of two elements. With one bipolar factor it is a choice of sign, without a multiplier.
template <class A, class B>
ap_int<product_bits<A, B>> product(typename A::code a, typename B::code b) {
#pragma HLS INLINE
    using Product = ap_int<product_bits<A, B>>;
    if constexpr (is_bipolar<A> && is_bipolar<B>) {
        return a == b ? Product(1) : Product(-1);
    } else if constexpr (is_bipolar<B>) {
        const Product value = A::decode(a);
        return b == 1 ? value : Product(-value);
    } else if constexpr (is_bipolar<A>) {
        const Product value = B::decode(b);
        return a == 1 ? value : Product(-value);
    } else {
        return Product(A::decode(a) * B::decode(b));
    }
}

}  // namespace finnp

#endif
