// Compiled as the rest of the program is. Data alone: nothing here runs.
#include "cpu_needs.h"

// A macro that is not defined stays a name, which is then an enumerator of value 0; one that is
// defined is 1.
namespace {

constexpr bool is_defined(const char* text) { return text[0] == '1'; }
#define SER_TEXT(macro) #macro
#define SER_DEFINED(bit, macro, name) | (is_defined(SER_TEXT(macro)) ? 1u << (bit) : 0u)

}  // namespace

extern constinit const unsigned ser_cpu_needs = 0u SER_CPU_FEATURES(SER_DEFINED);
