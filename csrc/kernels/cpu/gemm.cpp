#include "kernels/cpu/gemm.h"

#include <cmath>

#include "base/parallel.h"
#include "kernels/cpu/gemm_tile.h"
#include "kernels/cpu/onednn.h"
#include "kernels/cpu/workspace.h"

namespace rl {
namespace {

using namespace gemm_detail;

constexpr i64 kSmall = 64 * 64 * 64;    // multiply-adds up to which one thread and no packing of a is best
constexpr i64 kThreadWork = 128 * 1024;  // multiply-adds that are worth a thread

template <class T> struct Product {
  i64 m, n, k;
  const T* a;
  i64 a_row, a_col;
  const T* b;
  i64 b_row, b_col;
  T* c;
  i64 c_row;
  const T* bias;
  Activation activation;
  bool accumulate;
};

template <class T> Product<T> item(const GemmArgs& g, i64 index) {
  return {g.m,
          g.n,
          g.k,
          static_cast<const T*>(g.a) + index * g.a_batch,
          g.a_row,
          g.a_col,
          static_cast<const T*>(g.b) + index * g.b_batch,
          g.b_row,
          g.b_col,
          static_cast<T*>(g.c) + index * g.c_batch,
          g.c_row,
          static_cast<const T*>(g.bias),
          g.activation,
          g.accumulate};
}

// The activation of a finished value. Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
template <class T> T activate(T x, Activation activation) {
  if constexpr (std::is_floating_point_v<T>) {
    switch (activation) {
      case Activation::relu: return x < T(0) ? T(0) : x;
      case Activation::gelu: return x * T(0.5) * (T(1) + std::erf(x * T(0.70710678118654752440)));
      case Activation::gelu_tanh:
        return x * T(0.5) * (T(1) + std::tanh(T(0.79788456080286535588) * (x + T(0.044715) * x * x * x)));
      default: return x;
    }
  } else {
    return x;
  }
}

// c = activation(c + bias) for kernels that cannot do it themselves.
template <class T> void finish(const Product<T>& g) {
  if (!g.bias && g.activation == Activation::none) return;
  parallel_for(g.m, std::max<i64>(1, 16384 / std::max<i64>(g.n, 1)), [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      T* row = g.c + i * g.c_row;
      for (i64 j = 0; j < g.n; ++j) row[j] = activate<T>(g.bias ? T(row[j] + g.bias[j]) : row[j], g.activation);
    }
  });
}

// ---- small products: one thread, a read where it lies, b packed a panel at a time only where it has to be

template <int Vectors, int Lanes, class T>
void small_panel(const Product<T>& g, i64 column, i64 n, TileEnds<T> ends) {
  constexpr i64 width = Vectors * Lanes, depth = 256;
  const T* b = g.b + column * g.b_col;
  T* c = g.c + column;
  if (ends.bias) ends.bias += column;
  if (n == width && g.b_col == 1)
    return panel<Vectors, Lanes>(g.m, g.k, g.a, g.a_row, g.a_col, b, g.b_row, c, g.c_row, ends);
  alignas(64) T packed[depth * width];
  TileEnds<T> part = ends;
  for (i64 p = 0; p < g.k; p += depth) {
    i64 k = std::min(depth, g.k - p);
    pack_panel(k, n, width, b + p * g.b_row, g.b_row, g.b_col, packed);
    part.relu = ends.relu && p + k == g.k;
    const T* a = g.a + p * g.a_col;
    if (n == width) panel<Vectors, Lanes>(g.m, k, a, g.a_row, g.a_col, packed, width, c, g.c_row, part);
    else narrow_panel<Vectors, Lanes>(g.m, n, k, a, g.a_row, g.a_col, packed, width, c, g.c_row, part);
    part = {nullptr, true, false};
  }
}

template <class T> void small_gemm(const Product<T>& g) {
  TileEnds<T> ends{g.bias, g.accumulate, g.activation == Activation::relu};
  constexpr i64 lanes = kLanes<T>;
  i64 j = 0;
  for (; j + lanes < g.n; j += 2 * lanes) small_panel<2, lanes>(g, j, std::min(2 * lanes, g.n - j), ends);
  if (j < g.n) {
    if (g.n - j > lanes / 2) small_panel<1, lanes>(g, j, g.n - j, ends);
    else small_panel<1, lanes / 2>(g, j, g.n - j, ends);
  }
  if (g.activation > Activation::relu)
    for (i64 i = 0; i < g.m; ++i)
      for (i64 q = 0; q < g.n; ++q) g.c[i * g.c_row + q] = activate(g.c[i * g.c_row + q], g.activation);
}

// ---- large products: both operands packed in blocks that the caches hold, every c tile summed by one thread in order
// of k

template <class T> void blocked_gemm(const Product<T>& g) {
  constexpr i64 rows = kTileRows, columns = kTileColumns<T>, depth = 256;
  i64 row_tiles = (g.m + rows - 1) / rows, panels = (g.n + columns - 1) / columns, wanted = 4 * num_threads();
  // A block of a is at most 16 tiles high and stays in the second cache; enough blocks for an even share to each
  // thread.
  i64 block_rows = std::clamp<i64>((row_tiles + wanted - 1) / wanted, 4, 16) * rows;
  i64 row_blocks = (g.m + block_rows - 1) / block_rows;
  i64 block_panels = std::max<i64>(1, panels * row_blocks / wanted),
      column_blocks = (panels + block_panels - 1) / block_panels;
  i64 block_columns = block_panels * columns;
  Workspace b_space(panels * columns * std::min(depth, g.k) * static_cast<i64>(sizeof(T)));
  T* b_packed = b_space.as<T>();
  for (i64 p = 0; p < g.k; p += depth) {
    i64 k = std::min(depth, g.k - p);
    parallel_for(panels, std::max<i64>(1, 8192 / (k * columns)), [&](i64 begin, i64 end) {
      for (i64 q = begin; q < end; ++q)
        pack_panel(k, std::min(columns, g.n - q * columns), columns, g.b + p * g.b_row + q * columns * g.b_col, g.b_row,
                   g.b_col, b_packed + q * columns * k);
    });
    TileEnds<T> ends{nullptr, p > 0 || g.accumulate, false};
    parallel_for(row_blocks * column_blocks, 1, [&](i64 begin, i64 end) {
      Workspace a_space(block_rows * k * static_cast<i64>(sizeof(T)));
      T* a_packed = a_space.as<T>();
      i64 packed_block = -1;
      for (i64 t = begin; t < end; ++t) {
        i64 row_block = t / column_blocks, first = row_block * block_rows, m = std::min(block_rows, g.m - first);
        if (row_block != packed_block) {
          for (i64 i = 0; i < m; i += rows)
            pack_panel(k, std::min(rows, m - i), rows, g.a + (first + i) * g.a_row + p * g.a_col, g.a_col, g.a_row,
                       a_packed + i * k);
          packed_block = row_block;
        }
        i64 last = std::min(g.n, (t % column_blocks + 1) * block_columns);
        for (i64 j = t % column_blocks * block_columns; j < last; j += columns) {
          const T* b = b_packed + j * k;
          for (i64 i = 0; i < m; i += rows) {
            i64 tile_rows = std::min(rows, m - i);
            T* c = g.c + (first + i) * g.c_row + j;
            if (j + columns <= g.n)
              panel<2, kLanes<T>>(tile_rows, k, a_packed + i * k, 1, rows, b, columns, c, g.c_row, ends);
            else
              narrow_panel<2, kLanes<T>>(tile_rows, g.n - j, k, a_packed + i * k, 1, rows, b, columns, c, g.c_row,
                                         ends);
          }
        }
      }
    });
  }
  finish(g);
}

// ---- matrix times vector: y[i] (=, +=) sum over p of a[i * row + p * col] * x[p]

// Two uint16 would meet as int, which their product can exceed.
template <class T> T times(T a, T b) {
  if constexpr (std::is_same_v<T, std::uint16_t>) return static_cast<T>(unsigned{a} * unsigned{b});
  else return a * b;
}

template <class T> T dot(i64 k, const T* a, const T* x) {
  constexpr int lanes = kLanes<T>;
  using V = Vector<T, lanes>;
  V s[4] = {};
  i64 p = 0;
  for (; p + 4 * lanes <= k; p += 4 * lanes)
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) s[i] += load<V>(a + p + i * lanes) * load<V>(x + p + i * lanes);
  for (; p + lanes <= k; p += lanes) s[0] += load<V>(a + p) * load<V>(x + p);
  V v = (s[0] + s[1]) + (s[2] + s[3]);
  T sum{};
  for (int i = 0; i < lanes; ++i) sum += v[i];
  for (; p < k; ++p) sum += times(a[p], x[p]);
  return sum;
}

template <class T> void gemv(i64 m, i64 k, const T* a, i64 row, i64 col, const T* x, i64 x_stride, T* y, i64 y_stride,
                             bool accumulate) {
  Workspace x_space((x_stride == 1 ? 0 : k) * static_cast<i64>(sizeof(T)));
  if (x_stride != 1) {
    T* copy = x_space.as<T>();
    for (i64 p = 0; p < k; ++p) copy[p] = x[p * x_stride];
    x = copy;
  }
  if (row == 1 && m > 1) {  // columns are contiguous: add them up, a block of rows at a time
    constexpr i64 block = 512;
    parallel_for(m, std::max<i64>(block, kThreadWork / std::max<i64>(k, 1) / block * block), [&](i64 begin, i64 end) {
      for (i64 first = begin; first < end; first += block) {
        i64 n = std::min(block, end - first);
        T sum[block];
        for (i64 i = 0; i < n; ++i) sum[i] = accumulate ? y[(first + i) * y_stride] : T(0);
        i64 p = 0;
        for (; p + 4 <= k; p += 4) {
          const T *a0 = a + first + p * col, *a1 = a0 + col, *a2 = a1 + col, *a3 = a2 + col;
          T x0 = x[p], x1 = x[p + 1], x2 = x[p + 2], x3 = x[p + 3];
          for (i64 i = 0; i < n; ++i)
            sum[i] += (times(a0[i], x0) + times(a1[i], x1)) + (times(a2[i], x2) + times(a3[i], x3));
        }
        for (; p < k; ++p)
          for (i64 i = 0; i < n; ++i) sum[i] += times(a[first + i + p * col], x[p]);
        for (i64 i = 0; i < n; ++i) y[(first + i) * y_stride] = sum[i];
      }
    });
    return;
  }
  parallel_for(m, std::max<i64>(1, kThreadWork / std::max<i64>(k, 1)), [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      T sum{};
      if (col == 1) sum = dot(k, a + i * row, x);
      else
        for (i64 p = 0; p < k; ++p) sum += times(a[i * row + p * col], x[p]);
      y[i * y_stride] = accumulate ? T(y[i * y_stride] + sum) : sum;
    }
  });
}

template <class T> void vector_gemm(const Product<T>& g) {
  if (g.n == 1) gemv(g.m, g.k, g.a, g.a_row, g.a_col, g.b, g.b_row, g.c, g.c_row, g.accumulate);
  else gemv(g.n, g.k, g.b, g.b_col, g.b_row, g.a, g.a_col, g.c, i64{1}, g.accumulate);
  finish(g);
}

// ---- few results, many terms: the terms are split into blocks of a fixed size, whose products are added in order

constexpr i64 kSplitDepth = 4096;

template <class T> bool is_deep(const Product<T>& g) {
  return g.k >= 4 * kSplitDepth && g.m * g.n <= (g.m == 1 || g.n == 1 ? 64 : 128 * 128);
}

template <class T> void deep_gemm(const Product<T>& g) {
  i64 blocks = (g.k + kSplitDepth - 1) / kSplitDepth, size = g.m * g.n;
  Workspace space(blocks * size * static_cast<i64>(sizeof(T)));
  T* parts = space.as<T>();
  parallel_for(blocks, 1, [&](i64 begin, i64 end) {
    for (i64 q = begin; q < end; ++q) {
      i64 p = q * kSplitDepth;
      Product<T> part{g.m,
                      g.n,
                      std::min(kSplitDepth, g.k - p),
                      g.a + p * g.a_col,
                      g.a_row,
                      g.a_col,
                      g.b + p * g.b_row,
                      g.b_row,
                      g.b_col,
                      parts + q * size,
                      g.n,
                      nullptr,
                      Activation::none,
                      false};
      size == 1 ? vector_gemm(part) : blocked_gemm(part);
    }
  });
  for (i64 i = 0; i < g.m; ++i) {
    T* row = g.c + i * g.c_row;
    for (i64 q = 0; q < blocks; ++q)
      for (i64 j = 0; j < g.n; ++j) {
        T part = parts[q * size + i * g.n + j];
        row[j] = q == 0 && !g.accumulate ? part : T(row[j] + part);
      }
  }
  finish(g);
}

// ---- copies into contiguous rows, converting on the way

template <class To, class From, class Convert>
void copy_matrix(i64 batch, i64 m, i64 n, const From* from, i64 from_batch, i64 row, i64 col, To* to, i64 to_batch,
                 i64 to_row, Convert convert) {
  parallel_for(batch * m, std::max<i64>(1, 16384 / std::max<i64>(n, 1)), [&](i64 begin, i64 end) {
    for (i64 r = begin; r < end; ++r) {
      const From* in = from + r / m * from_batch + r % m * row;
      To* out = to + r / m * to_batch + r % m * to_row;
      if (col == 1)
        for (i64 j = 0; j < n; ++j) out[j] = convert(in[j]);
      else
        for (i64 j = 0; j < n; ++j) out[j] = convert(in[j * col]);
    }
  });
}

bool is_major(i64 extent, i64 other, i64 row, i64 col) {
  return (col == 1 && (row >= other || extent == 1)) || (row == 1 && (col >= extent || other == 1));
}

// oneDNN reads row- and column-major operands; others are made row-major first. False when it cannot help.
template <class T> bool large_gemm(GemmArgs g) {
  if ((g.batch > 1 && !g.a_batch && !g.b_batch) || !onednn_available()) return false;
  bool copy_a = !is_major(g.m, g.k, g.a_row, g.a_col), copy_b = !is_major(g.k, g.n, g.b_row, g.b_col);
  i64 a_items = g.a_batch ? g.batch : 1, b_items = g.b_batch ? g.batch : 1, size = sizeof(T);
  Workspace a_space(copy_a ? a_items * g.m * g.k * size : 0), b_space(copy_b ? b_items * g.k * g.n * size : 0);
  auto same = [](T x) { return x; };
  if (copy_a) {
    copy_matrix(a_items, g.m, g.k, static_cast<const T*>(g.a), g.a_batch, g.a_row, g.a_col, a_space.as<T>(), g.m * g.k,
                g.k, same);
    g.a = a_space.as<T>(), g.a_batch = g.a_batch ? g.m * g.k : 0, g.a_row = g.k, g.a_col = 1;
  }
  if (copy_b) {
    copy_matrix(b_items, g.k, g.n, static_cast<const T*>(g.b), g.b_batch, g.b_row, g.b_col, b_space.as<T>(), g.k * g.n,
                g.n, same);
    g.b = b_space.as<T>(), g.b_batch = g.b_batch ? g.k * g.n : 0, g.b_row = g.n, g.b_col = 1;
  }
  return onednn_gemm(g);
}

template <class T> void typed_gemm(const GemmArgs& g) {
  i64 work = g.m * g.n * g.k;
  bool vector = (g.m == 1 || g.n == 1) && work > 64;
  if (work <= kSmall && g.batch > 1) {
    parallel_for(g.batch, std::max<i64>(1, kThreadWork / (work + 256)), [&](i64 begin, i64 end) {
      for (i64 i = begin; i < end; ++i) vector ? vector_gemm(item<T>(g, i)) : small_gemm(item<T>(g, i));
    });
    return;
  }
  bool deep = is_deep(item<T>(g, 0));
  if constexpr (std::is_same_v<T, float>)
    if (!vector && !deep && work > kSmall && large_gemm<T>(g)) return;
  // Many middling products go side by side, few large ones one after the other with all threads in each. Same bits.
  parallel_for(g.batch, g.batch >= 2 * num_threads() ? 1 : g.batch, [&](i64 begin, i64 end) {
    for (i64 i = begin; i < end; ++i) {
      Product<T> p = item<T>(g, i);
      if (deep) deep_gemm(p);
      else if (vector) vector_gemm(p);
      else if (work <= kSmall) small_gemm(p);
      else blocked_gemm(p);
    }
  });
}

// Half precision computes in float and rounds once, at the end; oneDNN does so where the CPU has instructions for it.
template <class T> void half_gemm(const GemmArgs& g) {
  if (g.m * g.n * g.k > kSmall && large_gemm<T>(g)) return;
  i64 a_items = g.a_batch ? g.batch : 1, b_items = g.b_batch ? g.batch : 1;
  Workspace space((a_items * g.m * g.k + b_items * g.k * g.n + g.batch * g.m * g.n + g.n) * 4);
  float *a = space.as<float>(), *b = a + a_items * g.m * g.k, *c = b + b_items * g.k * g.n,
        *bias = c + g.batch * g.m * g.n;
  auto widen = [](T x) { return static_cast<float>(x); };
  copy_matrix(a_items, g.m, g.k, static_cast<const T*>(g.a), g.a_batch, g.a_row, g.a_col, a, g.m * g.k, g.k, widen);
  copy_matrix(b_items, g.k, g.n, static_cast<const T*>(g.b), g.b_batch, g.b_row, g.b_col, b, g.k * g.n, g.n, widen);
  T* out = static_cast<T*>(g.c);
  if (g.accumulate) copy_matrix(g.batch, g.m, g.n, out, g.c_batch, g.c_row, 1, c, g.m * g.n, g.n, widen);
  if (g.bias) copy_matrix(1, 1, g.n, static_cast<const T*>(g.bias), 0, 0, 1, bias, 0, 0, widen);
  gemm({DType::f32, g.batch, g.m, g.n, g.k, a, g.a_batch ? g.m * g.k : 0, g.k, 1, b, g.b_batch ? g.k * g.n : 0, g.n, 1,
        c, g.m * g.n, g.n, g.bias ? bias : nullptr, g.activation, g.accumulate});
  copy_matrix(g.batch, g.m, g.n, c, g.m * g.n, g.n, 1, out, g.c_batch, g.c_row, [](float x) { return T(x); });
}

// A complex product is four real ones: (p + iq)(r + is) = (pr - qs) + i(ps + qr).
template <class R> void complex_gemm(const GemmArgs& g) {
  using C = std::complex<R>;
  i64 a_size = g.m * g.k, b_size = g.k * g.n, c_size = g.m * g.n;
  Workspace space((3 * a_size + 2 * b_size + 2 * c_size) * static_cast<i64>(sizeof(R)));
  R *p = space.as<R>(), *q = p + a_size, *minus_q = q + a_size, *r = minus_q + a_size, *s = r + b_size,
    *re = s + b_size, *im = re + c_size;
  auto real = [](C z) { return z.real(); };
  auto imag = [](C z) { return z.imag(); };
  for (i64 i = 0; i < g.batch; ++i) {
    Product<C> z = item<C>(g, i);
    copy_matrix(1, g.m, g.k, z.a, 0, z.a_row, z.a_col, p, 0, g.k, real);
    copy_matrix(1, g.m, g.k, z.a, 0, z.a_row, z.a_col, q, 0, g.k, imag);
    copy_matrix(1, g.m, g.k, q, 0, g.k, 1, minus_q, 0, g.k, [](R x) { return -x; });
    copy_matrix(1, g.k, g.n, z.b, 0, z.b_row, z.b_col, r, 0, g.n, real);
    copy_matrix(1, g.k, g.n, z.b, 0, z.b_row, z.b_col, s, 0, g.n, imag);
    auto add = [&](const R* x, const R* y, R* to, bool accumulate) {
      gemm({dtype_of<R>(), 1, g.m, g.n, g.k, x, 0, g.k, 1, y, 0, g.n, 1, to, 0, g.n, nullptr, Activation::none,
            accumulate});
    };
    add(p, r, re, false), add(minus_q, s, re, true), add(p, s, im, false), add(q, r, im, true);
    parallel_for(g.m, std::max<i64>(1, 8192 / g.n), [&](i64 begin, i64 end) {
      for (i64 j = begin * g.n; j < end * g.n; ++j) {
        C* c = z.c + j / g.n * z.c_row + j % g.n;
        C value(re[j], im[j]);
        if (z.bias) value += z.bias[j % g.n];
        *c = z.accumulate ? *c + value : value;
      }
    });
  }
}

// No terms to sum: c is zero (or what it was), then bias and activation.
template <class T> void empty_gemm(const GemmArgs& g) {
  for (i64 i = 0; i < g.batch; ++i) {
    Product<T> p = item<T>(g, i);
    for (i64 r = 0; r < g.m; ++r)
      for (i64 j = 0; j < g.n; ++j) {
        T& c = p.c[r * p.c_row + j];
        if (!g.accumulate) c = T(0);
        if constexpr (is_complex_type<T>) {
          if (p.bias) c += p.bias[j];
        } else if constexpr (is_half_type<T>) {
          c = T(activate(float(c) + (p.bias ? float(p.bias[j]) : 0.f), g.activation));
        } else {
          c = activate<T>(p.bias ? T(c + p.bias[j]) : c, g.activation);
        }
      }
  }
}

}  // namespace

void gemm(const GemmArgs& args) {
  if (args.dtype == DType::f32 && args.batch == 1 && args.k > 0 && args.m > 1 && args.n > 1 &&
      args.m * args.n * args.k <= kSmall)
    return small_gemm(item<float>(args, 0));
  check(args.dtype != DType::bool_, ErrorKind::runtime,
        "[gemm] a product needs numbers. Received bool. Cast to an integer or float dtype.");
  check(args.activation == Activation::none || is_floating(args.dtype), ErrorKind::runtime,
        "[gemm] an activation needs a floating point dtype. Received ", args.dtype, ".");
  if (args.batch <= 0 || args.m <= 0 || args.n <= 0) return;
  GemmArgs g = args;
  // One b for all: the batch is more rows.
  if (g.batch > 1 && g.b_batch == 0 && g.a_batch == g.m * g.a_row && g.c_batch == g.m * g.c_row)
    g.m *= g.batch, g.batch = 1;
  visit(g.dtype, [&]<class T>(Type<T>) {
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      using U = std::make_unsigned_t<T>;  // the same bits, and overflow is defined
      g.k <= 0 ? empty_gemm<U>(g) : typed_gemm<U>(g);
    } else if constexpr (!std::is_same_v<T, bool>) {
      if (g.k <= 0) empty_gemm<T>(g);
      else if constexpr (is_half_type<T>) half_gemm<T>(g);
      else if constexpr (is_complex_type<T>) complex_gemm<typename T::value_type>(g);
      else typed_gemm<T>(g);
    }
  });
}

}  // namespace rl
