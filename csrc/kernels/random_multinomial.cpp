// Sampling of category indices by weight.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/random.h"

namespace rl {

namespace {

template <class T> void check_row(const T* weights, i64 categories, i64 row) {
  double total = 0.0;
  for (i64 k = 0; k < categories; ++k) {
    double weight = static_cast<double>(weights[k]);
    check(weight >= 0.0 && std::isfinite(weight), ErrorKind::runtime,
          "[multinomial] weights must be finite and >= 0. Received ", weight, " at row ", row, ", category ", k,
          ". Clamp or mask the input.");
    total += weight;
  }
  check(total > 0.0, ErrorKind::runtime, "[multinomial] each row must have a positive sum. Received ", total,
        " in row ", row, ". Give at least one category a weight.");
}

// The exponential race: with e ~ Exp(1) per category, the largest weight / e wins with probability weight / sum, and
// the order of the scores is a draw without replacement.
template <class T>
void draw_by_race(i64* out, DType dtype, const T* weights, i64 rows, i64 categories, i64 samples,
                  Generator& generator) {
  std::vector<T> scores(static_cast<std::size_t>(rows * categories));
  fill_exponential(dtype, scores.data(), rows * categories, 1.0, generator);
  // Half precision scores tie often. Among equals the order is that of the standard library's selection, as in
  // torch.topk: a heap for few of many, else a partition and a sort of its front (the last one is in place already).
  using Entry = std::pair<T, i64>;
  std::vector<Entry> race(static_cast<std::size_t>(categories));
  auto before = [](const Entry& a, const Entry& b) { return a.first > b.first; };
  for (i64 r = 0; r < rows; ++r) {
    T* score = scores.data() + r * categories;
    for (i64 k = 0; k < categories; ++k) score[k] = cast<T>(weights[r * categories + k] / score[k]);
    if (samples == 1) {
      out[r] = std::max_element(score, score + categories) - score;
      continue;
    }
    for (i64 k = 0; k < categories; ++k) race[k] = {score[k], k};
    if (samples * 64 <= categories) {
      std::partial_sort(race.begin(), race.begin() + samples, race.end(), before);
    } else {
      std::nth_element(race.begin(), race.begin() + samples - 1, race.end(), before);
      std::sort(race.begin(), race.begin() + samples - 1, before);
    }
    for (i64 s = 0; s < samples; ++s) out[r * samples + s] = race[s].second;
  }
}

// Inversion of the cumulative distribution, which is kept in the dtype of the weights (float for the half types).
template <class T>
void draw_by_inversion(i64* out, const T* weights, i64 rows, i64 categories, i64 samples, Generator& generator) {
  using Sum = std::conditional_t<is_half_type<T>, float, T>;
  std::vector<Sum> cumulative(static_cast<std::size_t>(categories));
  for (i64 r = 0; r < rows; ++r) {
    Sum total = 0;
    for (i64 k = 0; k < categories; ++k) cumulative[k] = total += static_cast<Sum>(weights[r * categories + k]);
    for (Sum& value : cumulative) value /= total;
    cumulative.back() = 1;
    for (i64 s = 0; s < samples; ++s) {
      double u = static_cast<double>(generator.random64() & 0x1fffffffffffffULL) * 0x1p-53;
      auto at = std::lower_bound(cumulative.begin(), cumulative.end(), u,
                                 [](Sum value, double limit) { return static_cast<double>(value) < limit; });
      out[r * samples + s] = at - cumulative.begin();
    }
  }
}

}  // namespace

void fill_multinomial(i64* out, DType dtype, const void* weights, i64 rows, i64 categories, i64 samples,
                      bool replacement, Generator& generator) {
  check(is_floating(dtype), ErrorKind::runtime, "[multinomial] weights must be floating. Received ", dtype,
        ". Convert them to float32.");
  check(samples > 0, ErrorKind::runtime, "[multinomial] num_samples must be > 0. Received ", samples,
        ". Ask for at least one.");
  check(replacement || samples <= categories, ErrorKind::runtime,
        "[multinomial] num_samples must be <= the number of categories without replacement. Received ", samples, " of ",
        categories, ". Pass replacement=True.");
  visit(dtype, [&]<class T>(Type<T>) {
    if constexpr (is_half_type<T> || std::is_floating_point_v<T>) {
      const T* w = static_cast<const T*>(weights);
      for (i64 r = 0; r < rows; ++r) check_row(w + r * categories, categories, r);
      if (samples == 1 || !replacement) draw_by_race(out, dtype, w, rows, categories, samples, generator);
      else draw_by_inversion(out, w, rows, categories, samples, generator);
    }
  });
}

}  // namespace rl
