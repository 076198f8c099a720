// SPDX-License-Identifier: MIT-0
// Part of the finnp hardware library. This file, and everything generated around it,
// may be used, changed and passed on for any purpose, without condition and without warranty.
//
// Minimal arbitrary-width integers for C simulation on machines without Vitis HLS.
//
// Up to 64 bits a value sits in one native integer and converts to `long long`, so arithmetic is
// native and exact as long as results fit 64 bits; assignment wraps to the declared width, as in
// Vitis HLS. Wider values are arrays of 64-bit words with construction, comparison for equality,
// ranges and single bits, which is all that stream words need.
#ifndef FINNP_BUNDLED_AP_INT_H
#define FINNP_BUNDLED_AP_INT_H

#include <type_traits>

#define FINNP_INLINE inline __attribute__((always_inline))

namespace finnp_bundled {

using word = unsigned long long;

template <int W, bool S>
using native = std::conditional_t<
    (W <= 8), std::conditional_t<S, signed char, unsigned char>,
    std::conditional_t<(W <= 16), std::conditional_t<S, short, unsigned short>,
                       std::conditional_t<(W <= 32), std::conditional_t<S, int, unsigned>,
                                          std::conditional_t<S, long long, word>>>>;

FINNP_INLINE word mask(int bits) { return bits >= 64 ? ~word(0) : (word(1) << bits) - 1; }

/// Bits lo .. lo+count-1 of an array of words, count <= 64.
FINNP_INLINE word take(const word* words, int lo, int count) {
    const int at = lo >> 6, shift = lo & 63;
    word bits = words[at] >> shift;
    if (shift + count > 64) bits |= words[at + 1] << (64 - shift);
    return bits & mask(count);
}

/// Replaces bits lo .. lo+count-1 of an array of words, count <= 64.
FINNP_INLINE void put(word* words, int lo, int count, word bits) {
    const int at = lo >> 6, shift = lo & 63;
    bits &= mask(count);
    words[at] = (words[at] & ~(mask(count) << shift)) | (bits << shift);
    if (shift + count > 64) {
        const word high = mask(shift + count - 64);
        words[at + 1] = (words[at + 1] & ~high) | (bits >> (64 - shift));
    }
}

}  // namespace finnp_bundled

/// A value of W bits; `take` and `put` move at most 64 bits at a time.
template <int W, bool S, bool SMALL = (W <= 64)>
struct ap_int_base {
    static constexpr int width = W;
    finnp_bundled::native<W, S> value{};

    FINNP_INLINE void set(long long number) {
        // 32 bits where they suffice: compilers then work on more values at once.
        if (S && W <= 32) value = static_cast<finnp_bundled::native<W, S>>(
                   static_cast<int>(static_cast<unsigned>(number) << ((32 - W) & 31)) >> ((32 - W) & 31));
        else if (S) value = static_cast<finnp_bundled::native<W, S>>(
                   static_cast<long long>(static_cast<finnp_bundled::word>(number) << (64 - W)) >> (64 - W));
        else value = static_cast<finnp_bundled::native<W, S>>(
                   static_cast<finnp_bundled::word>(number) & finnp_bundled::mask(W));
    }
    FINNP_INLINE finnp_bundled::word take(int lo, int count) const {
        return (static_cast<finnp_bundled::word>(value) >> lo) & finnp_bundled::mask(count);
    }
    FINNP_INLINE void put(int lo, int count, finnp_bundled::word bits) {
        const finnp_bundled::word hole = finnp_bundled::mask(count) << lo;
        set(static_cast<long long>((static_cast<finnp_bundled::word>(value) & ~hole) | ((bits << lo) & hole)));
    }
    using Native = std::conditional_t<S || (W < 64), long long, unsigned long long>;
    FINNP_INLINE operator Native() const { return static_cast<Native>(value); }
    FINNP_INLINE long long extended() const { return static_cast<long long>(value); }
};

template <int W, bool S>
struct ap_int_base<W, S, false> {
    static constexpr int width = W;
    static constexpr int WORDS = (W + 63) / 64;
    finnp_bundled::word words[WORDS] = {};

    FINNP_INLINE void trim() {
        constexpr int spare = WORDS * 64 - W;
        if (S) words[WORDS - 1] = static_cast<finnp_bundled::word>(
                   static_cast<long long>(words[WORDS - 1] << spare) >> spare);
        else words[WORDS - 1] &= finnp_bundled::mask(64 - spare);
    }
    FINNP_INLINE void set(long long number) {
        words[0] = static_cast<finnp_bundled::word>(number);
        for (int i = 1; i < WORDS; ++i) words[i] = number < 0 ? ~finnp_bundled::word(0) : 0;
        trim();
    }
    FINNP_INLINE finnp_bundled::word take(int lo, int count) const {
        return finnp_bundled::take(words, lo, count);
    }
    FINNP_INLINE void put(int lo, int count, finnp_bundled::word bits) {
        finnp_bundled::put(words, lo, count, bits);
        trim();
    }
    FINNP_INLINE long long extended() const { return static_cast<long long>(words[0]); }
};

/// Bits lo .. hi of a value: reads and writes through to it.
template <class Base>
struct ap_range_ref {
    Base& base;
    int hi, lo;

    FINNP_INLINE int length() const { return hi - lo + 1; }
    FINNP_INLINE finnp_bundled::word take(int at, int count) const { return base.take(lo + at, count); }
    FINNP_INLINE operator unsigned long long() const { return base.take(lo, length()); }
    FINNP_INLINE unsigned long long to_uint64() const { return base.take(lo, length()); }

    template <class T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
    FINNP_INLINE ap_range_ref& operator=(T number) {
        for (int at = 0; at < length(); at += 64) {
            const int count = length() - at < 64 ? length() - at : 64;
            const finnp_bundled::word above = number < T(0) ? ~finnp_bundled::word(0) : 0;
            base.put(lo + at, count, at == 0 ? static_cast<finnp_bundled::word>(number) : above);
        }
        return *this;
    }
    template <int W, bool S>
    FINNP_INLINE ap_range_ref& operator=(const ap_int_base<W, S>& other) {
        if constexpr (W <= 64) return *this = other.extended();
        else {
            for (int at = 0; at < length(); at += 64) {
                const int count = length() - at < 64 ? length() - at : 64;
                const int left = W - at;
                base.put(lo + at, count, left <= 0 ? 0 : other.take(at, count < left ? count : left));
            }
            return *this;
        }
    }
};

/// One bit of a value.
template <class Base>
struct ap_bit_ref {
    Base& base;
    int at;
    FINNP_INLINE operator bool() const { return base.take(at, 1) != 0; }
    FINNP_INLINE ap_bit_ref& operator=(bool bit) {
        base.put(at, 1, bit);
        return *this;
    }
};

namespace finnp_bundled {

template <int W, bool S>
struct integer : ap_int_base<W, S> {
    using Base = ap_int_base<W, S>;
    FINNP_INLINE integer() = default;
    template <class T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
    FINNP_INLINE integer(T number) {
        this->set(static_cast<long long>(number));
        if constexpr (W > 64 && !std::is_signed_v<T> && sizeof(T) == 8) {
            for (int i = 1; i < Base::WORDS; ++i) this->words[i] = 0;
        }
    }
    template <int V, bool U>
    FINNP_INLINE integer(const ap_int_base<V, U>& other) {
        if constexpr (V <= 64) {
            this->set(other.extended());
            if constexpr (W > 64 && !U) {
                for (int i = 1; i < Base::WORDS; ++i) this->words[i] = 0;
            }
        } else copy(other, V);
    }
    template <class Range>
    FINNP_INLINE integer(const ap_range_ref<Range>& range) {
        if constexpr (W <= 64) {
            const int count = range.length() < 64 ? range.length() : 64;
            this->set(static_cast<long long>(range.take(0, count)));
        } else copy(range, range.length());
    }
    template <class Source>
    FINNP_INLINE void copy(const Source& source, int length) {
        if (length > W) length = W;
        this->set(0);
        for (int at = 0; at < length; at += 64) {
            const int count = length - at < 64 ? length - at : 64;
            this->put(at, count, source.take(at, count));
        }
    }

    FINNP_INLINE ap_range_ref<Base> operator()(int hi, int lo) { return {*this, hi, lo}; }
    FINNP_INLINE ap_range_ref<const Base> operator()(int hi, int lo) const { return {*this, hi, lo}; }
    FINNP_INLINE ap_range_ref<Base> range(int hi, int lo) { return {*this, hi, lo}; }
    FINNP_INLINE ap_range_ref<const Base> range(int hi, int lo) const { return {*this, hi, lo}; }
    FINNP_INLINE ap_bit_ref<Base> operator[](int at) { return {*this, at}; }
    FINNP_INLINE bool operator[](int at) const { return this->take(at, 1) != 0; }

    FINNP_INLINE integer& operator+=(long long number) {
        static_assert(W <= 64, "arithmetic is for at most 64 bits");
        this->set(static_cast<long long>(static_cast<word>(this->extended()) + static_cast<word>(number)));
        return *this;
    }
    FINNP_INLINE integer& operator-=(long long number) {
        static_assert(W <= 64, "arithmetic is for at most 64 bits");
        this->set(static_cast<long long>(static_cast<word>(this->extended()) - static_cast<word>(number)));
        return *this;
    }
    FINNP_INLINE integer& operator++() { return *this += 1; }
    FINNP_INLINE integer& operator--() { return *this -= 1; }
    FINNP_INLINE int to_int() const { return static_cast<int>(this->extended()); }
    FINNP_INLINE long long to_int64() const { return this->extended(); }
    FINNP_INLINE unsigned long long to_uint64() const { return static_cast<word>(this->extended()); }
};

}  // namespace finnp_bundled

/// Two's complement integer of W bits.
template <int W>
struct ap_int : finnp_bundled::integer<W, true> {
    using finnp_bundled::integer<W, true>::integer;
};

/// Unsigned integer of W bits.
template <int W>
struct ap_uint : finnp_bundled::integer<W, false> {
    using finnp_bundled::integer<W, false>::integer;
};

template <int W, bool S>
inline bool operator==(const ap_int_base<W, S, false>& a, const ap_int_base<W, S, false>& b) {
    for (int i = 0; i < ap_int_base<W, S>::WORDS; ++i) {
        if (a.words[i] != b.words[i]) return false;
    }
    return true;
}
template <int W, bool S>
inline bool operator!=(const ap_int_base<W, S, false>& a, const ap_int_base<W, S, false>& b) {
    return !(a == b);
}

#endif
