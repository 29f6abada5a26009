// Orthogonal polynomials of a degree per element. As in PyTorch they have no gradient.
#include "ops/expr.h"
using namespace rl;

// n is a degree that may differ from element to element; its fraction is cut off.
#define POLYNOMIAL(name, text, formula)                                                                               \
  OP(name, floats, #name "(input: Tensor | Number, n: Tensor | Number) -> Tensor") {                                  \
    .doc = text " of degree n (DLMF 18.9); 0 for n < 0, NaN for n > 2 ** 20. It has no gradient.", .home = "special", \
    .forms = function | out_, .result = Result::floating, .value = EXPR([](auto input, auto n) { return formula; }),  \
    .samples = "randn(3, 4), randint(-1, 9, (4,))\nuniform(3, low=-1, high=1), 7",                                    \
  }

POLYNOMIAL(chebyshev_polynomial_t, "The Chebyshev polynomial of the first kind", chebyshev_polynomial_t(input, n));
POLYNOMIAL(chebyshev_polynomial_u, "The Chebyshev polynomial of the second kind", chebyshev_polynomial_u(input, n));
POLYNOMIAL(chebyshev_polynomial_v, "The Chebyshev polynomial of the third kind", chebyshev_polynomial_v(input, n));
POLYNOMIAL(chebyshev_polynomial_w, "The Chebyshev polynomial of the fourth kind", chebyshev_polynomial_w(input, n));
POLYNOMIAL(shifted_chebyshev_polynomial_t, "The Chebyshev polynomial of the first kind at 2 * input - 1",
           chebyshev_polynomial_t(2. * input - 1., n));
POLYNOMIAL(shifted_chebyshev_polynomial_u, "The Chebyshev polynomial of the second kind at 2 * input - 1",
           chebyshev_polynomial_u(2. * input - 1., n));
POLYNOMIAL(shifted_chebyshev_polynomial_v, "The Chebyshev polynomial of the third kind at 2 * input - 1",
           chebyshev_polynomial_v(2. * input - 1., n));
POLYNOMIAL(shifted_chebyshev_polynomial_w, "The Chebyshev polynomial of the fourth kind at 2 * input - 1",
           chebyshev_polynomial_w(2. * input - 1., n));
POLYNOMIAL(hermite_polynomial_h, "The physicist's Hermite polynomial", hermite_polynomial_h(input, n));
POLYNOMIAL(hermite_polynomial_he, "The probabilist's Hermite polynomial", hermite_polynomial_he(input, n));
POLYNOMIAL(laguerre_polynomial_l, "The Laguerre polynomial", laguerre_polynomial_l(input, n));
POLYNOMIAL(legendre_polynomial_p, "The Legendre polynomial", legendre_polynomial_p(input, n));
