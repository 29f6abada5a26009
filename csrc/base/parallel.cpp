#include "base/parallel.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>

#include <atomic>
#include <cstdio>
#include <exception>

#include "base/serial.h"

namespace rl {
namespace {

// A container may own fewer cores than the machine shows: its CPU quota counts too.
int usable_cores() {
  cpu_set_t set;
  int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : omp_get_num_procs();
  if (std::FILE* f = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    long quota = 0, period = 0;
    if (std::fscanf(f, "%ld %ld", &quota, &period) == 2 && quota > 0 && period > 0)
      cores = std::min<int>(cores, std::max<int>(1, static_cast<int>((quota + period - 1) / period)));
    std::fclose(f);
  }
  return std::max(1, std::min(cores, omp_get_max_threads()));
}

std::atomic<int> threads{0};
thread_local constinit bool serial = false;

// libgomp's pool does not survive fork: a parallel region in the child would wait for threads that are not there.
void one_thread_in_child() {
  threads = 1;
  omp_set_num_threads(1);
}

}  // namespace

int num_threads() {
  if (threads == 0) {
    threads = usable_cores();
    omp_set_num_threads(threads);
    pthread_atfork(nullptr, nullptr, one_thread_in_child);
  }
  return threads;
}

void set_num_threads(int n) {
  check(n > 0, ErrorKind::runtime, "[set_num_threads] the number of threads must be positive. Received ", n, ".");
  num_threads();  // registers the fork handler
  threads = n;
  omp_set_num_threads(n);
}

void set_serial(bool on) { serial = on; }

bool in_parallel() { return serial || omp_in_parallel(); }

void parallel_ranges(i64 n, i64 grain, RangeFunction run, void* closure) {
  i64 blocks = (n + grain - 1) / grain;
  int wanted = static_cast<int>(std::min<i64>(num_threads(), blocks));
  if (wanted <= 1 || in_parallel()) return run(closure, 0, n);
  std::exception_ptr error;
#pragma omp parallel num_threads(wanted)
  {
    i64 t = omp_get_thread_num(), count = omp_get_num_threads();
    i64 begin = blocks * t / count * grain, end = std::min(n, blocks * (t + 1) / count * grain);
    try {
      if (begin < end) run(closure, begin, end);
    } catch (...) {
#pragma omp critical(rl_parallel_error)
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace rl
