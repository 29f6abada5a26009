#!/usr/bin/env bash
# Build with AddressSanitizer and UndefinedBehaviorSanitizer and run the tests on that build.
#
#     tools/sanitize.sh PYTHON JOBS [pytest arguments]
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 jobs=$2
shift 2

# The package, by links, in a folder of its own: the fast build in the source tree stays as it is.
tree=$PWD/build/sanitize/tree
mkdir -p "$tree/rushlight"
find "$tree/rushlight" -type l -delete
cp -rs "$PWD"/rushlight/. "$tree/rushlight"
rm -rf "$tree"/rushlight/_core*.so "$tree/rushlight/lib"

cmake -G Ninja -S . -B build/sanitize -DPython_EXECUTABLE="$python" -DRUSHLIGHT_SANITIZE=ON \
  -DRUSHLIGHT_PACKAGE_DIR="$tree/rushlight"
cmake --build build/sanitize -j "$jobs"

# The sanitizers must be loaded before Python; Python and NumPy leak on purpose, so leaks are not looked for.
export LD_PRELOAD="$(c++ -print-file-name=libasan.so) $(c++ -print-file-name=libubsan.so) $(c++ -print-file-name=libstdc++.so)"
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export PYTHONPATH=$tree PYTHONMALLOC=malloc
exec "$python" -m pytest -o pythonpath="$tree" -m "not slow and not multiprocess" "$@"
