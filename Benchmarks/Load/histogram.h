// A log-linear histogram of nanoseconds: every power of two is divided into 128 buckets, so that the middle of a bucket
// is within 0.4 % of every value in it. Below 128 ns each nanosecond has its own.
#pragma once

#include <stdint.h>

#define HISTOGRAM_BITS 7
// Values up to 2^37 ns, more than two minutes: every wait here is bounded by less.
#define HISTOGRAM_OCTAVES 31
#define HISTOGRAM_BUCKETS (HISTOGRAM_OCTAVES << HISTOGRAM_BITS)

struct histogram {
    uint64_t count, sum, max;
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

static inline unsigned histogram_bucket(uint64_t value) {
    if (value >> HISTOGRAM_BITS == 0)
        return (unsigned)value;
    unsigned octave = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_BITS;
    unsigned bucket = (octave << HISTOGRAM_BITS) + (unsigned)(value >> octave);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static inline uint64_t histogram_middle(unsigned bucket) {
    if (bucket >> HISTOGRAM_BITS < 2)
        return bucket;
    unsigned octave = (bucket >> HISTOGRAM_BITS) - 1;
    uint64_t first = (uint64_t)(bucket - (octave << HISTOGRAM_BITS)) << octave;
    return first + ((1ull << octave) >> 1);
}

static inline void histogram_add(struct histogram *histogram, uint64_t value) {
    histogram->buckets[histogram_bucket(value)]++;
    histogram->count++;
    histogram->sum += value;
    if (value > histogram->max)
        histogram->max = value;
}

static inline void histogram_merge(struct histogram *into, const struct histogram *from) {
    for (unsigned bucket = 0; bucket < HISTOGRAM_BUCKETS; bucket++)
        into->buckets[bucket] += from->buckets[bucket];
    into->count += from->count;
    into->sum += from->sum;
    if (from->max > into->max)
        into->max = from->max;
}

// The value that `numerator` of `denominator` values do not exceed; 0 of none.
static inline uint64_t histogram_quantile(const struct histogram *histogram, uint64_t numerator, uint64_t denominator) {
    uint64_t rank = (histogram->count * numerator + denominator - 1) / denominator;
    uint64_t seen = 0;
    for (unsigned bucket = 0; rank && bucket < HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen >= rank) {
            uint64_t value = histogram_middle(bucket);
            return value < histogram->max ? value : histogram->max;
        }
    }
    return 0;
}
