// A program built for a processor that there is none of.
#include "common/cpu_needs.h"

extern const unsigned ser_cpu_needs = 1u << 31;

int main() {}
