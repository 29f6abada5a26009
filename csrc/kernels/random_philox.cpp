#include "kernels/random_philox.h"

#include <algorithm>

#include "base/parallel.h"
#include "kernels/random.h"

namespace rl {

namespace {

constexpr i64 kGrainBlocks = 512;  // 16,384 elements

template <class T> void select(T* out, i64 n, double p, T kept, std::uint64_t seed, std::uint64_t offset) {
  std::uint64_t threshold = dropout_threshold(p);
  // One 32-bit comparison per element; p = 1 has no such threshold and drops everything.
  if (threshold >> 32) return std::fill_n(out, n, T(0)), void();
  auto limit = static_cast<std::uint32_t>(threshold);
  parallel_for((n + kPhiloxBlock - 1) / kPhiloxBlock, kGrainBlocks, [=](i64 begin, i64 end) {
    std::uint32_t words[kPhiloxBlock];
    const T value = kept;  // a local: a store to `out` might change the closure's
    const std::uint32_t lowest = limit;
    for (i64 block = begin; block < end; ++block) {
      philox_block(seed, offset, static_cast<std::uint64_t>(block), words);
      T* to = out + block * kPhiloxBlock;
      if (i64 count = n - block * kPhiloxBlock; count < kPhiloxBlock) {
        for (i64 i = 0; i < count; ++i) to[i] = words[i] >= lowest ? value : T(0);
      } else {
        for (i64 i = 0; i < kPhiloxBlock; ++i) to[i] = words[i] >= lowest ? value : T(0);
      }
    }
  });
}

void check_probability(double p) {
  check(p >= 0.0 && p <= 1.0, ErrorKind::value, "[dropout] p must hold 0 <= p <= 1. Received p=", p,
        ". Pass the probability of a zero.");
}

}  // namespace

std::uint64_t philox_seed(Generator& generator) { return generator.random64(); }

void fill_dropout_mask(DType dtype, void* out, i64 n, double p, std::uint64_t seed, std::uint64_t offset) {
  check_probability(p);
  check(dtype == DType::bool_ || dtype == DType::u8, ErrorKind::type, "[dropout] a mask is bool or uint8. Received ",
        dtype, ". Use fill_dropout_scale for floating dtypes.");
  select(static_cast<std::uint8_t*>(out), n, p, std::uint8_t{1}, seed, offset);
}

void fill_dropout_scale(DType dtype, void* out, i64 n, double p, std::uint64_t seed, std::uint64_t offset) {
  check_probability(p);
  check(is_floating(dtype), ErrorKind::type, "[dropout] a scale is floating. Received ", dtype,
        ". Use fill_dropout_mask for bool.");
  visit(dtype, [&]<class T>(Type<T>) {
    if constexpr (is_half_type<T> || std::is_floating_point_v<T>) {
      select(static_cast<T*>(out), n, p, cast<T>(p < 1.0 ? 1.0 / (1.0 - p) : 0.0), seed, offset);
    }
  });
}

}  // namespace rl
