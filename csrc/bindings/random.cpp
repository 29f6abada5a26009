// torch.Generator. The random rows draw from it; see kernels/random.h for the streams.
#include "kernels/random.h"

#include "bindings/python.h"

namespace rl::py {
namespace {

// torch.default_generator is one object in Python; in a thread with a stream of its own it stands for that.
Generator& meant(Generator& g) { return &g == &program_generator() ? default_generator() : g; }

Tensor state_tensor(Generator& g) {
  std::vector<std::uint8_t> bytes = meant(g).get_state();
  Tensor t = empty({static_cast<i64>(bytes.size())}, DType::u8);
  std::memcpy(t->data(), bytes.data(), bytes.size());
  return t;
}

void set_state(Generator& g, const Tensor& state) {
  check(state->dtype == DType::u8, ErrorKind::type,
        "[set_state] expected a torch.ByteTensor: the state must be uint8. Received ", describe(*state), ".");
  Tensor bytes = contiguous(state);
  std::lock_guard lock(generator_mutex());
  meant(g).set_state(reinterpret_cast<const std::uint8_t*>(bytes->data()), bytes->numel);
}

// Python integers of any sign: PyTorch takes them modulo 2^64.
std::uint64_t seed_of(nb::handle seed) {
  Arg a;
  if (PyLong_Check(seed.ptr())) {
    int overflow = 0;
    i64 value = PyLong_AsLongLongAndOverflow(seed.ptr(), &overflow);
    if (!overflow) return static_cast<std::uint64_t>(value);
    std::uint64_t large = overflow > 0 ? PyLong_AsUnsignedLongLong(seed.ptr()) : 0;
    bool fits = overflow > 0 && !PyErr_Occurred();
    PyErr_Clear();
    check(fits, ErrorKind::value, "[manual_seed] Overflow when unpacking long: the seed must be in [-2**63, 2**64).");
    return large;
  }
  i64 i;
  if (integer_of(seed.ptr(), i)) return static_cast<std::uint64_t>(i);
  if (number_of(seed.ptr(), a)) return static_cast<std::uint64_t>(static_cast<i64>(a.number()));
  fail(ErrorKind::type, "[manual_seed] the seed must be an int. Received ", Py_TYPE(seed.ptr())->tp_name, ".");
}

}  // namespace

void add_random(nb::module_& m) {
  nb::class_<Generator>(m, "Generator", "A stream of random numbers: Generator(device='cpu').")
      .def(
          "__init__",
          [](Generator* g, nb::handle device) {
            if (!device.is_none() && nb::cast<std::string>(nb::str(device)) != "cpu")
              fail(ErrorKind::runtime, "[Generator] the device must be cpu. Received ",
                   nb::cast<std::string>(nb::str(device)), ".");
            new (g) Generator();
          },
          nb::arg("device") = nb::str("cpu"))
      .def(
          "manual_seed",
          [](nb::object self, nb::handle seed) {
            std::uint64_t s = seed_of(seed);
            std::lock_guard lock(generator_mutex());
            meant(nb::cast<Generator&>(self)).manual_seed(s);
            return self;
          },
          nb::arg("seed"), "Restarts the stream; returns the generator.")
      .def(
          "seed",
          [](Generator& g) {
            std::lock_guard lock(generator_mutex());
            return meant(g).seed();
          },
          "Seeds from the operating system; returns the seed.")
      .def(
          "initial_seed", [](Generator& g) { return meant(g).initial_seed(); }, "The seed that the stream began with.")
      .def(
          "get_state", [](Generator& g) { return state_tensor(g); },
          "The state, a uint8 tensor [5056] that PyTorch reads too.")
      .def(
          "set_state",
          [](nb::object self, const Tensor& state) {
            set_state(nb::cast<Generator&>(self), state);
            return self;
          },
          nb::arg("state"),
          "Continues from a state; returns the generator. Raises RuntimeError or TypeError when it is none.")
      .def("__getstate__", state_tensor)
      .def("__setstate__",
           [](Generator& g, const Tensor& state) {
             new (&g) Generator();
             set_state(g, state);
           })
      .def(
          "clone_state", [](Generator& g) { return Generator(meant(g)); },
          "A generator that continues the same stream on its own.")
      .def_prop_ro("device",
                   [](const Generator&) { return nb::module_::import_("rushlight._core").attr("device")("cpu"); });
  m.attr("default_generator") = nb::cast(&program_generator(), nb::rv_policy::reference);
  m.def("set_thread_generator", set_thread_generator, nb::arg("generator").none(),
        "Gives the calling thread a default stream of its own, or None its share in the program's. Keep it alive.");
}

}  // namespace rl::py
