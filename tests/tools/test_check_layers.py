from tools.check_layers import offences


def write(csrc, path, text):
    (csrc / path).parent.mkdir(parents=True, exist_ok=True)
    (csrc / path).write_text(text)


def test_includes_of_the_own_layer_and_below_are_accepted(tmp_path):
    write(tmp_path, "base/check.h", "#include <vector>\n")
    write(tmp_path, "tensor/dtype.h", '#include "base/check.h"\n')
    write(tmp_path, "tensor/tensor.h", '#include "tensor/dtype.h"\n')
    write(tmp_path, "bindings/module.cpp", '#include <Python.h>\n#include "tensor/tensor.h"\n')
    assert offences(tmp_path) == []


def test_an_include_from_above_is_named_with_its_line(tmp_path):
    write(tmp_path, "ops/expr.h", "")
    write(tmp_path, "kernels/cpu/gemm.cpp", '#include <vector>\n  #  include "ops/expr.h"\n')
    (found,) = offences(tmp_path)
    assert found.startswith(f"{tmp_path}/kernels/cpu/gemm.cpp:2: kernels may not include ops/expr.h")


def test_python_headers_belong_to_the_bindings(tmp_path):
    write(tmp_path, "eager/invoke.cpp", "#include <Python.h>\n#include <nanobind/nanobind.h>\n")
    assert len(offences(tmp_path)) == 2


def test_paths_begin_at_csrc_and_must_exist(tmp_path):
    write(tmp_path, "base/check.h", "")
    write(tmp_path, "base/parallel.cpp", '#include "check.h"\n#include "base/missing.h"\n')
    assert len(offences(tmp_path)) == 2


def test_a_new_folder_must_be_given_a_layer(tmp_path):
    write(tmp_path, "helpers/stuff.h", "")
    (found,) = offences(tmp_path)
    assert "csrc/helpers is no layer" in found
