#!/usr/bin/env bash
# Build with AddressSanitizer and UndefinedBehaviorSanitizer; run the tests and 200,000 random calls on that build.
#
#     tools/sanitize.sh PYTHON JOBS [pytest arguments]
#     CALLS=1000 tools/sanitize.sh ...        so many random calls
set -euo pipefail
cd "$(dirname "$0")/.."
python=$1 jobs=$2
shift 2

# The package, by links, in a folder of its own: the fast build in the source tree stays as it is.
package=$PWD/rushlight tree=$PWD/build/sanitize/tree
mkdir -p "$tree"
find "$tree" -type l -delete
(cd "$package" && find . \( -path ./lib -o -name __pycache__ \) -prune -o -type f ! -name '_core*.so' -print) |
  while read -r file; do
    mkdir -p "$(dirname "$tree/rushlight/$file")"
    ln -s "$package/$file" "$tree/rushlight/$file"
  done
ln -s "$PWD/tests" "$tree/tests"

cmake -G Ninja -S . -B build/sanitize -DPython_EXECUTABLE="$python" -DRUSHLIGHT_SANITIZE=ON \
  -DRUSHLIGHT_PACKAGE_DIR="$tree/rushlight"
cmake --build build/sanitize -j "$jobs"

# The sanitizers must be loaded before Python; Python and NumPy leak on purpose, so leaks are not looked for. What they
# find goes to files, because pytest swallows what a dying process says.
report=$PWD/build/sanitize/report
rm -f "$report".*
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=2048:log_path=$report
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1:log_path=$report
export PYTHONPATH=$tree PYTHONMALLOC=malloc
preload="$(c++ -print-file-name=libasan.so) $(c++ -print-file-name=libubsan.so) $(c++ -print-file-name=libstdc++.so)"
status=0
LD_PRELOAD=$preload "$python" -m pytest -o pythonpath="$tree" -m "not slow and not multiprocess" "$@" || status=$?
(cd "$tree" && LD_PRELOAD=$preload "$python" -m tests.fuzz --calls "${CALLS:-200000}" --seed 1 --jobs "$jobs") || status=1
cat "$report".* 2>/dev/null && status=1
exit "$status"
