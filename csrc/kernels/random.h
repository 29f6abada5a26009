// L3: random numbers. A Generator is MT19937 with the state layout of torch.Generator('cpu'); each fill_xxx consumes it
// in the order torch's CPU kernels do, so one seed gives the same values in both. Contiguous memory, raw pointers.
//
// A fill is serial and changes the generator: hold generator_mutex() for the length of a call.
#pragma once
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "base/check.h"
#include "tensor/dtype.h"

namespace rl {

// Matsumoto & Nishimura 1998, "Mersenne Twister", with the cached half of a Box-Muller pair.
class Generator {
 public:
  static constexpr std::uint64_t kDefaultSeed = 67280421310721ULL;
  static constexpr i64 kStateBytes = 5056;

  explicit Generator(std::uint64_t seed = kDefaultSeed) { manual_seed(seed); }

  // Restarts the stream; MT19937 itself uses the low 32 bits only.
  void manual_seed(std::uint64_t seed);
  // Seeds from the operating system and returns that seed (53 bits, so that a double holds it).
  std::uint64_t seed();
  std::uint64_t initial_seed() const { return seed_; }

  std::uint32_t random() {
    if (--left_ == 0) next_block();
    return temper(words_[next_++]);
  }
  // The first draw is the high half.
  std::uint64_t random64() {
    std::uint64_t high = random();
    return high << 32 | random();
  }
  // n draws at once: the same stream as n calls of random().
  void random(std::uint32_t* out, i64 n);

  // Standard normal by Box-Muller in double; the second of a pair is kept for the next call.
  double normal();

  // torch.get_rng_state() bytes, both ways. set_state leaves the generator as it was when it refuses.
  std::vector<std::uint8_t> get_state() const;
  void set_state(const std::uint8_t* bytes, i64 size);

  // The cached samples belong to the state; only the double one is drawn from on the CPU.
  std::optional<float> next_float_normal;
  std::optional<double> next_double_normal;

 private:
  static constexpr int kWords = 624;

  static std::uint32_t temper(std::uint32_t y) {
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
  }
  void next_block();

  std::uint64_t seed_;
  int left_;  // draws before the next block, plus one
  int next_;  // the word that the next draw tempers
  std::uint32_t words_[kWords];
};

// The program's stream; the default one of a thread is the program's until it is given its own (null takes it back).
Generator& program_generator();
Generator& default_generator();
void set_thread_generator(Generator* generator);
// One lock for every generator: draws are short and a program rarely draws from two threads.
std::mutex& generator_mutex();

// Parameters outside a distribution's domain raise RuntimeError in each of these.
// Continuous distributions, for float16, bfloat16, float32, float64; uniform and normal also for complex dtypes, whose
// parts are drawn alike (a normal's with half the variance each).
void fill_uniform(DType dtype, void* out, i64 n, double from, double to, Generator& generator);
void fill_normal(DType dtype, void* out, i64 n, double mean, double std, Generator& generator);
// What torch does for a tensor that is not contiguous (and, inside fill_normal, for n < 16).
void fill_normal_serial(DType dtype, void* out, i64 n, double mean, double std, Generator& generator);
void fill_exponential(DType dtype, void* out, i64 n, double lambd, Generator& generator);
void fill_cauchy(DType dtype, void* out, i64 n, double median, double sigma, Generator& generator);
void fill_log_normal(DType dtype, void* out, i64 n, double mean, double std, Generator& generator);
void fill_standard_gamma(DType dtype, void* out, i64 n, const void* alpha, Generator& generator);
// rows x categories of concentrations.
void fill_dirichlet(DType dtype, void* out, i64 rows, i64 categories, const void* alpha, Generator& generator);

// Integers, for every real dtype. fill_random: random_(), 0 .. the largest value that dtype counts up to without a gap.
void fill_random(DType dtype, void* out, i64 n, Generator& generator);
// random_(from, to) and randint: from <= x < to.
void fill_random_from_to(DType dtype, void* out, i64 n, i64 from, i64 to, Generator& generator);
// random_(from, None): from .. the largest value of dtype.
void fill_random_from(DType dtype, void* out, i64 n, i64 from, Generator& generator);
void fill_randperm(DType dtype, void* out, i64 n, Generator& generator);
void fill_geometric(DType dtype, void* out, i64 n, double p, Generator& generator);
void fill_bernoulli(DType dtype, void* out, i64 n, double p, Generator& generator);
// One probability per element, of a floating dtype of its own.
void fill_bernoulli_tensor(DType dtype, void* out, i64 n, DType p_dtype, const void* p, Generator& generator);

// Parameters have the dtype of the output.
void fill_poisson(DType dtype, void* out, i64 n, const void* rate, Generator& generator);
void fill_binomial(DType dtype, void* out, i64 n, const void* count, const void* p, Generator& generator);
// weights: rows x categories of a floating dtype; out: rows x samples category indices.
void fill_multinomial(i64* out, DType dtype, const void* weights, i64 rows, i64 categories, i64 samples,
                      bool replacement, Generator& generator);

// Dropout: Philox4x32-10 (Salmon et al. 2011), in parallel, the same bits for any number of threads. Element i is kept
// when its word is >= p * 2^32, and its word depends on (seed, offset, i) alone: each offset is a stream of its own.
std::uint64_t philox_seed(Generator& generator);
// bool_ or u8: 1 keeps.
void fill_dropout_mask(DType dtype, void* out, i64 n, double p, std::uint64_t seed, std::uint64_t offset);
// floating dtypes: 0 or 1 / (1 - p).
void fill_dropout_scale(DType dtype, void* out, i64 n, double p, std::uint64_t seed, std::uint64_t offset);

}  // namespace rl
