// Compiled for the oldest processor, and free of library code that other sources have compiled for
// a newer one: it runs before anything else of the program and must not fail itself.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cpu_needs.h"

namespace {

bool is_supported(unsigned need) {
  switch (need) {
#define SER_CPU_CASE(bit, macro, name) \
  case 1u << (bit):                    \
    return __builtin_cpu_supports(name);
    SER_CPU_FEATURES(SER_CPU_CASE)
#undef SER_CPU_CASE
    default:
      return false;
  }
}

const char* name_of(unsigned need) {
  switch (need) {
#define SER_CPU_CASE(bit, macro, name) \
  case 1u << (bit):                    \
    return name;
    SER_CPU_FEATURES(SER_CPU_CASE)
#undef SER_CPU_CASE
    default:
      return "others";
  }
}

void say(const char* text) {
  [[maybe_unused]] const ssize_t said = ::write(STDERR_FILENO, text, std::strlen(text));
}

__attribute__((constructor(101))) void check_processor() {
  __builtin_cpu_init();
  for (unsigned bit = 0; bit < 32; ++bit) {
    const unsigned need = ser_cpu_needs & (1u << bit);
    if (need == 0 || is_supported(need)) continue;
    say(program_invocation_short_name);
    say(": built for a processor with instructions (");
    say(name_of(need));
    say(") that this one lacks; build it here, or with -DSER_ARCH=baseline\n");
    ::_exit(1);
  }
}

}  // namespace
