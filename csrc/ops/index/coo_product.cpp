// A sparse matrix, given by the coordinates of its values, times a dense one.
#include "ops/index/along.h"
using namespace rl;

namespace {

constexpr i64 kBlock = 32;  // columns: threads divide them, which leaves the order of sums alone

// Adds value[i] * from[column[i]] to to[row[i]] for rows of `count` elements, `width` apart.
template <class T>
void add_products(T* to, const T* from, const i64* row, const i64* column, const T* value, i64 n, i64 width,
                  i64 count) {
  for (i64 i = 0; i < n; ++i) {
    T* __restrict t = to + row[i] * width;
    const T* __restrict f = from + column[i] * width;
    const T v = value[i];
    if (count == kBlock)  // a loop of known length is unrolled
      for (i64 j = 0; j < kBlock; ++j) t[j] = add(t[j], multiply(v, f[j]));
    else
      for (i64 j = 0; j < count; ++j) t[j] = add(t[j], multiply(v, f[j]));
  }
}

void run(TensorImpl& out, TensorImpl& dense, const Tensor& row, const Tensor& column, TensorImpl& values) {
  Tensor from = packed(dense, out.dtype), value = packed(values, out.dtype);
  std::memset(out.data(), 0, static_cast<std::size_t>(out.numel * size_of(out.dtype)));
  i64 n = value->numel, width = out.size[1], blocks = (width + kBlock - 1) / kBlock;
  WithoutInterpreter released(n * width >= 1 << 15);
  visit(out.dtype, [&]<class T>(Type<T>) {
    parallel_for(blocks, std::max<i64>(1, (1 << 16) / std::max<i64>(1, n * kBlock)), [&](i64 b, i64 e) {
      for (i64 begin = b * kBlock; begin < std::min(width, e * kBlock); begin += kBlock)
        add_products(out.data_as<T>() + begin, from->data_as<T>() + begin, row->data_as<i64>(), column->data_as<i64>(),
                     value->data_as<T>(), n, width, std::min(kBlock, width - begin));
    });
  });
}

}  // namespace

OP(coo_product, numeric_types,
   "coo_product(rows: Tensor, columns: Tensor, values: Tensor, dense: Tensor, n: int) -> Tensor") {
  .doc = "[n, K] for dense [M, K]: values[i] * dense[columns[i]] is added to row rows[i], in the order of i. rows, "
         "columns and values are [nnz].\n\nRaises IndexError when a row or column is out of range, RuntimeError when "
         "shapes or dtypes do not agree.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl &rows = c.tensor(0), &columns = c.tensor(1), &values = c.tensor(2), &dense = c.tensor(3);
        i64 n = c.integer(4);
        c.check(values.ndim == 1 && same_shape(rows, values) && same_shape(columns, values) && dense.ndim == 2,
                "rows, columns and values must be vectors of one length, dense a matrix. Received ", rows, ", ",
                columns, ", ", values, " and ", dense, ".");
        c.check(values.dtype == dense.dtype, "values and dense must have one dtype. Received ", values, " and ", dense,
                ".");
        c.check(n >= 0, "n must not be negative. Received ", n, ".");
        Tensor row = checked_index("coo_product", rows, n, 0, ErrorKind::index);
        Tensor column = checked_index("coo_product", columns, dense.size[0], 0, ErrorKind::index);
        TensorImpl& out = c.output(0, Dims{n, dense.size[1]}, dense.dtype);
        if (!is_floating(out.dtype) || size_of(out.dtype) > 2) return run(out, dense, row, column, values);
        Tensor sum = empty(out.sizes(), DType::f32);  // summed in float, rounded once
        run(*sum, dense, row, column, values);
        copy_elements(out, *sum);
      },
  .vjp =
      [](Backward& b) {
        Tensor rows = b.tensor(0), columns = b.tensor(1), gy = b.gradient();
        if (b.needs(2)) {
          Tensor met = call<"index_select">(b.tensor(3), 0, columns);
          b.set(2, call<"sum">(call<"index_select">(gy, 0, rows) * conj(met), Dims{1}));
        }
        if (b.needs(3)) b.set(3, call<"coo_product">(columns, rows, conj(b.tensor(2)), gy, b.sizes(3)[0]));
      },
  .saves = "rows for values, columns for values, dense for values, rows for dense, columns for dense, values for dense",
  .samples = "randint(0, 3, (5,)), randint(0, 4, (5,)), randn(5), randn(4, 2), 3\n"
             "randint(0, 3, (5,)), randint(0, 4, (5,)), randn(5), randn(4, 40), 3",
  .errors = "randint(3, 4, (5,)), randint(0, 4, (5,)), randn(5), randn(4, 2), 3 => IndexError: [coo_product]\n"
            "randint(0, 3, (5,)), randint(4, 9, (5,)), randn(5), randn(4, 2), 3 => IndexError: [coo_product]\n"
            "randint(0, 3, (4,)), randint(0, 4, (5,)), randn(5), randn(4, 2), 3 => RuntimeError: [coo_product] rows",
};
