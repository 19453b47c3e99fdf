// Compiled for the oldest processor, and free of library code that other sources have compiled for
// a newer one: it runs before anything else of the program and must not fail itself.
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cpu_needs.h"

namespace {

void say(const char* text) {
  [[maybe_unused]] const ssize_t said = ::write(STDERR_FILENO, text, std::strlen(text));
}

[[noreturn]] void refuse(const char* instructions) {
  say(program_invocation_short_name);
  say(": built for a processor with instructions (");
  say(instructions);
  say(") that this one lacks; build it here, or with -DSER_ARCH=baseline\n");
  ::_exit(1);
}

__attribute__((constructor(101))) void check_processor() {
  __builtin_cpu_init();
  unsigned others = ser_cpu_needs;
#define SER_CPU_CHECK(bit, macro, name)                                             \
  if ((others & (1u << (bit))) != 0 && !__builtin_cpu_supports(name)) refuse(name); \
  others &= ~(1u << (bit));
  SER_CPU_FEATURES(SER_CPU_CHECK)
#undef SER_CPU_CHECK
  if (others != 0) refuse("others");
}

}  // namespace
