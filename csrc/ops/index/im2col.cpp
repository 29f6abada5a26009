// The blocks under a sliding window as columns, and back.
#include "ops/index/along.h"
using namespace rl;

namespace {

// One image: where element (channel, row, column) of block (y, x) lies.
struct Window {
  i64 kernel[2], dilation[2], padding[2], stride[2], image[2], blocks[2];

  // Of the row's arguments `at` and on: kernel_size, dilation, padding, stride.
  Window(const Call& c, i64 height, i64 width, int at) {
    image[0] = height, image[1] = width;
    auto read = [&](const char* what, i64(&to)[2], i64 least) {
      Sizes from = c.ints(at++);
      c.check(from.size() == 1 || from.size() == 2, what, " must be one int or two. Received ", from, ".");
      for (std::size_t d = 0; d < 2; ++d) {
        to[d] = from[from.size() == 1 ? 0 : d];
        c.check(to[d] >= least && to[d] < i64{1} << 31, what, " should be greater than ", least - 1, ". Received ",
                from, ".");
      }
    };
    read("kernel_size", kernel, 1);
    read("dilation", dilation, 1);
    read("padding", padding, 0);
    read("stride", stride, 1);
    for (int d = 0; d < 2; ++d) {
      i64 room = image[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1;
      blocks[d] = room < 0 ? 0 : room / stride[d] + 1;
      c.check(blocks[d] > 0, "the array of sliding blocks must not be empty: its size would be ", room / stride[d] + 1,
              " along dimension ", d, ". Received an image of [", height, ", ", width, "].");
    }
  }
  i64 count() const { return blocks[0] * blocks[1]; }
  i64 area() const { return kernel[0] * kernel[1]; }

  // Calls run(place in the image, place in the columns) for all elements of channel k; padding is passed over.
  template <class Run> void for_each(i64 channel, Run&& run) const {
    for (i64 ky = 0; ky < kernel[0]; ++ky)
      for (i64 kx = 0; kx < kernel[1]; ++kx) {
        i64 row = ((channel * kernel[0] + ky) * kernel[1] + kx) * count();
        for (i64 by = 0; by < blocks[0]; ++by) {
          i64 y = by * stride[0] - padding[0] + ky * dilation[0];
          if (y < 0 || y >= image[0]) continue;
          i64 line = (channel * image[0] + y) * image[1];
          for (i64 bx = 0; bx < blocks[1]; ++bx) {
            i64 x = bx * stride[1] - padding[1] + kx * dilation[1];
            if (x >= 0 && x < image[1]) run(line + x, row + by * blocks[1] + bx);
          }
        }
      }
  }

  // Calls run(pixel, its element in the columns) for all of `images` images.
  template <class P, class C, class Run>
  void for_all(i64 images, i64 channels, P* pixels, C* columns, Run&& run) const {
    parallel_for(images * channels, std::max<i64>(1, kParallelElements / (area() * count())), [&](i64 b, i64 e) {
      for (i64 k = b; k < e; ++k) {
        P* p = pixels + k / channels * channels * image[0] * image[1];
        C* q = columns + k / channels * channels * area() * count();
        for_each(k % channels, [&](i64 at, i64 column) { run(p[at], q[column]); });
      }
    });
  }
};

}  // namespace

OP(im2col, all_types,
   "im2col(input: Tensor, kernel_size: ints, dilation: ints, padding: ints, stride: ints) -> Tensor") {
  .doc = "The blocks under a sliding window: [N, C * KH * KW, number of blocks] for input [N, C, H, W], both also "
         "without N.\n\nRaises RuntimeError when no block fits.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        c.check(t.ndim == 3 || t.ndim == 4, "Expected 3D or 4D input. Received ", describe(t), ".");
        i64 height = t.size[t.ndim - 2], width = t.size[t.ndim - 1], channels = t.size[t.ndim - 3],
            images = t.ndim == 4 ? t.size[0] : 1;
        c.check(channels > 0 && height > 0 && width > 0, "only the batch may be empty. Received ", describe(t), ".");
        Window w(c, height, width, 1);
        Dims size{channels * w.area(), w.count()};
        if (t.ndim == 4) size.insert(0, images);
        TensorImpl& out = c.output(0, size, t.dtype);
        Tensor source = packed(t, t.dtype);
        std::memset(out.data(), 0, static_cast<std::size_t>(out.numel * size_of(t.dtype)));
        visit_size(t.dtype, [&]<class T>(Type<T>) {
          w.for_all(images, channels, source->data_as<T>(), out.data_as<T>(), [](const T& p, T& q) { q = p; });
        });
      },
  .vjp =
      [](Backward& b) {
        Sizes size = b.sizes(0);
        b.set(0, call<"col2im">(b.gradient(), size.last(2), b.ints(1), b.ints(2), b.ints(3), b.ints(4)));
      },
  .samples = "randn(2, 3, 5, 6), (2, 3), (1, 1), (0, 0), (1, 1)\nrandn(2, 7, 6), (2, 2), (2, 1), (1, 2), (2, 1)",
  .errors = "randn(2, 3), (2, 2), (1, 1), (0, 0), (1, 1) => RuntimeError: [im2col] Expected 3D or 4D input",
};

OP(col2im, all_types,
   "col2im(input: Tensor, output_size: ints, kernel_size: ints, dilation: ints, padding: ints, stride: ints) -> "
   "Tensor") {
  .doc = "The image [N, C, *output_size] whose blocks are the columns of input [N, C * KH * KW, number of blocks], "
         "both also without N; where blocks overlap, their sum.\n\nRaises RuntimeError when the columns do not belong "
         "to such an image.",
  .home = "_core",
  .cpu =
      [](const Call& c) {
        TensorImpl& t = c.tensor(0);
        Sizes image = c.ints(1);
        c.check(t.ndim == 2 || t.ndim == 3, "Expected 2D or 3D input. Received ", describe(t), ".");
        c.check(image.size() == 2 && image[0] > 0 && image[1] > 0 && image[0] < i64{1} << 31 && image[1] < i64{1} << 31,
                "Expected output spatial size to be two positive numbers. Received ", image, ".");
        Window w(c, image[0], image[1], 2);
        i64 rows = t.size[t.ndim - 2], images = t.ndim == 3 ? t.size[0] : 1;
        c.check(rows > 0 && rows % w.area() == 0,
                "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
                "input.size(1)=",
                rows, " and kernel_size=", c.ints(2), ".");
        c.check(t.size[t.ndim - 1] == w.count(), "Given output_size=", image,
                ", expected size of input's last dimension to match the calculated number of sliding blocks ",
                w.blocks[0], " * ", w.blocks[1], " = ", w.count(), ", but got ", t.size[t.ndim - 1], ".");
        i64 channels = rows / w.area();
        Dims size{channels, image[0], image[1]};
        if (t.ndim == 3) size.insert(0, images);
        TensorImpl& out = c.output(0, size, t.dtype);
        Tensor source = packed(t, t.dtype);
        std::memset(out.data(), 0, static_cast<std::size_t>(out.numel * size_of(t.dtype)));
        visit(t.dtype, [&]<class T>(Type<T>) {
          w.for_all(images, channels, out.data_as<T>(), source->data_as<T>(), [](T& p, T q) { p = add(p, q); });
        });
      },
  .vjp = [](Backward& b) { b.set(0, call<"im2col">(b.gradient(), b.ints(2), b.ints(3), b.ints(4), b.ints(5))); },
  .samples =
      "randn(2, 18, 20), (5, 6), (3, 3), (1, 1), (1, 0), (1, 1)\nrandn(8, 6), (3, 4), (2, 2), (1, 1), (0, 0), (1, 1)",
  .errors = "randn(5, 6), (3, 4), (2, 2), (1, 1), (0, 0), (1, 1) => RuntimeError: [col2im] Expected size of input's "
            "dimension 1",
};
