// L3: Philox4x32-10 (J. Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): random words as a function
// of a counter, so that any part of the stream can be computed anywhere. Inline, for kernels that fuse dropout.
#pragma once
#include <cstdint>
#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "base/check.h"

namespace rl {

constexpr i64 kPhiloxBlock = 32;

namespace philox {
constexpr int kLanes = 8, kRounds = 10;
constexpr std::uint32_t kMultiplier0 = 0xd2511f53u, kMultiplier1 = 0xcd9e8d57u;
constexpr std::uint32_t kWeyl0 = 0x9e3779b9u, kWeyl1 = 0xbb67ae85u;
}  // namespace philox

// Words [32 * block, 32 * block + 32) of the stream `offset`: lane l has the counter 8 * block + l (low 64 bits) and
// offset (high 64 bits), and its four words lie at l, 8 + l, 16 + l and 24 + l.
inline void philox_block_portable(std::uint64_t seed, std::uint64_t offset, std::uint64_t block, std::uint32_t* words) {
  using namespace philox;
  for (int lane = 0; lane < kLanes; ++lane) {
    std::uint64_t counter = block * kLanes + static_cast<std::uint64_t>(lane);
    auto c0 = static_cast<std::uint32_t>(counter), c1 = static_cast<std::uint32_t>(counter >> 32);
    auto c2 = static_cast<std::uint32_t>(offset), c3 = static_cast<std::uint32_t>(offset >> 32);
    auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
    for (int round = 0; round < kRounds; ++round, k0 += kWeyl0, k1 += kWeyl1) {
      std::uint64_t p0 = std::uint64_t{kMultiplier0} * c0, p1 = std::uint64_t{kMultiplier1} * c2;
      c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
      c1 = static_cast<std::uint32_t>(p1);
      c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
      c3 = static_cast<std::uint32_t>(p0);
    }
    words[lane] = c0;
    words[kLanes + lane] = c1;
    words[2 * kLanes + lane] = c2;
    words[3 * kLanes + lane] = c3;
  }
}

#ifdef __AVX2__
// The same words, four times as fast as what a compiler makes of the loop above: each word sits in the low half of 64
// bits, where vpmuludq wants it, and the high halves may hold anything.
inline void philox_block(std::uint64_t seed, std::uint64_t offset, std::uint64_t block, std::uint32_t* words) {
  using namespace philox;
  auto all = [](std::uint64_t value) { return _mm256_set1_epi64x(static_cast<long long>(value)); };
  __m256i c0[2], c1[2], c2[2], c3[2];  // lanes 0-3 and 4-7
  for (int h = 0; h < 2; ++h) {
    c0[h] = _mm256_add_epi64(all(block * kLanes + static_cast<std::uint64_t>(4 * h)), _mm256_set_epi64x(3, 2, 1, 0));
    c1[h] = _mm256_srli_epi64(c0[h], 32);
    c2[h] = all(offset);
    c3[h] = all(offset >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < kRounds; ++round, k0 += kWeyl0, k1 += kWeyl1) {
    for (int h = 0; h < 2; ++h) {
      __m256i p0 = _mm256_mul_epu32(c0[h], all(kMultiplier0)), p1 = _mm256_mul_epu32(c2[h], all(kMultiplier1));
      c0[h] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p1, 32), c1[h]), all(k0));
      c1[h] = p1;
      c2[h] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p0, 32), c3[h]), all(k1));
      c3[h] = p0;
    }
  }
  auto store = [](std::uint32_t* to, const __m256i* half) {  // the eight low halves, in order
    __m256 mixed = _mm256_shuffle_ps(_mm256_castsi256_ps(half[0]), _mm256_castsi256_ps(half[1]), 0x88);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xd8));
  };
  store(words, c0);
  store(words + kLanes, c1);
  store(words + 2 * kLanes, c2);
  store(words + 3 * kLanes, c3);
}
#else
inline void philox_block(std::uint64_t seed, std::uint64_t offset, std::uint64_t block, std::uint32_t* words) {
  philox_block_portable(seed, offset, block, words);
}
#endif

// A word below the threshold drops its element; 64 bits, because p = 1 needs 2^32.
inline std::uint64_t dropout_threshold(double p) { return static_cast<std::uint64_t>(p * 0x1p32); }

}  // namespace rl
