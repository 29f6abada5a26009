#include "kernels/random.h"

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace rl {

namespace {

// The bytes of torch.get_rng_state(): words are widened to 64 bits, and of the four fields that once described a normal
// sample only normal_y (the cached double) and normal_is_valid are in use.
struct StateLayout {
  std::uint64_t seed;
  std::int32_t left;
  std::int32_t seeded;
  std::uint64_t next;
  std::uint64_t words[624];
  double normal_x;
  double normal_y;
  double normal_rho;
  std::int32_t normal_is_valid;
  std::int32_t padding0;
  float next_float_normal;
  std::uint8_t float_normal_is_valid;
  std::uint8_t padding1[3];
};
static_assert(sizeof(StateLayout) == Generator::kStateBytes);

constexpr double kTwoPi = 6.283185307179586476925286766559;

}  // namespace

void Generator::manual_seed(std::uint64_t seed) {
  seed_ = seed;
  words_[0] = static_cast<std::uint32_t>(seed);
  for (std::uint32_t i = 1; i < kWords; ++i) words_[i] = 1812433253u * (words_[i - 1] ^ words_[i - 1] >> 30) + i;
  left_ = 1;
  next_ = 0;
  next_float_normal.reset();
  next_double_normal.reset();
}

std::uint64_t Generator::seed() {
  std::random_device device;
  std::uint64_t high = device();
  manual_seed((high << 32 | device()) & 0x1fffffffffffffULL);
  return seed_;
}

void Generator::next_block() {
  constexpr int kShift = 397;
  auto twist = [](std::uint32_t high, std::uint32_t low) {
    std::uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
    return (y >> 1) ^ ((0u - (low & 1u)) & 0x9908b0dfu);
  };
  // Two loops without a modulus: the compiler turns both into vector code.
  for (int i = 0; i < kWords - kShift; ++i) words_[i] = words_[i + kShift] ^ twist(words_[i], words_[i + 1]);
  for (int i = kWords - kShift; i < kWords - 1; ++i) {
    words_[i] = words_[i + kShift - kWords] ^ twist(words_[i], words_[i + 1]);
  }
  words_[kWords - 1] = words_[kShift - 1] ^ twist(words_[kWords - 1], words_[0]);
  left_ = kWords;
  next_ = 0;
}

void Generator::random(std::uint32_t* out, i64 n) {
  while (n > 0) {
    if (left_ == 1) {
      next_block();
      ++left_;  // random() counts the draw that made the block; here the block is still whole
    }
    int take = static_cast<int>(std::min<i64>(n, left_ - 1));
    for (int i = 0; i < take; ++i) out[i] = temper(words_[next_ + i]);
    next_ += take;
    left_ -= take;
    out += take;
    n -= take;
  }
}

double Generator::normal() {
  if (next_double_normal) {
    double sample = *next_double_normal;
    next_double_normal.reset();
    return sample;
  }
  auto uniform = [this] { return static_cast<double>(random64() & 0x1fffffffffffffULL) * 0x1p-53; };
  double angle = kTwoPi * uniform();
  double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  next_double_normal = radius * std::sin(angle);
  return radius * std::cos(angle);
}

std::vector<std::uint8_t> Generator::get_state() const {
  StateLayout state{};
  state.seed = seed_;
  state.left = left_;
  state.seeded = 1;
  state.next = static_cast<std::uint64_t>(next_);
  std::copy(words_, words_ + kWords, state.words);
  state.normal_y = next_double_normal.value_or(0.0);
  state.normal_is_valid = next_double_normal.has_value();
  state.next_float_normal = next_float_normal.value_or(0.0f);
  state.float_normal_is_valid = next_float_normal.has_value();
  std::vector<std::uint8_t> bytes(sizeof state);
  std::memcpy(bytes.data(), &state, sizeof state);
  return bytes;
}

void Generator::set_state(const std::uint8_t* bytes, i64 size) {
  check(size == kStateBytes, ErrorKind::runtime, "[set_state] a CPU generator's state has ", kStateBytes,
        " bytes. Received ", size, ". Pass what get_state() or torch.get_rng_state() returned.");
  StateLayout state;
  std::memcpy(&state, bytes, sizeof state);
  // next + left == 625 inside a block; anything above would read past the words.
  bool holds = state.seeded != 0 && state.left >= 1 && state.left <= kWords && state.next <= kWords &&
               state.next + static_cast<std::uint64_t>(state.left) <= kWords + 1 &&
               std::all_of(state.words, state.words + kWords, [](std::uint64_t word) { return word >> 32 == 0; });
  check(holds, ErrorKind::runtime, "[set_state] the bytes must be an MT19937 state (seeded, 1 <= left <= 624, ",
        "next + left <= 625, words below 2**32). Received seeded=", state.seeded, ", left=", state.left,
        ", next=", state.next, ". Pass what get_state() or torch.get_rng_state() returned.");
  seed_ = state.seed;
  left_ = state.left;
  next_ = static_cast<int>(state.next);
  for (int i = 0; i < kWords; ++i) words_[i] = static_cast<std::uint32_t>(state.words[i]);
  next_double_normal = state.normal_is_valid ? std::optional(state.normal_y) : std::nullopt;
  next_float_normal = state.float_normal_is_valid ? std::optional(state.next_float_normal) : std::nullopt;
}

namespace {

thread_local constinit Generator* of_thread = nullptr;
std::mutex mutex;

// A child has only the thread that forked: another one's lock would never be given back in it.
[[maybe_unused]] const int held_over_fork =
    pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, [] { mutex.unlock(); });

}  // namespace

Generator& program_generator() {
  static Generator generator;
  return generator;
}

Generator& default_generator() { return of_thread ? *of_thread : program_generator(); }

void set_thread_generator(Generator* generator) { of_thread = generator; }

std::mutex& generator_mutex() { return mutex; }

}  // namespace rl
