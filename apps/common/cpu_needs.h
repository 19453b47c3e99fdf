#pragma once

// Instructions that a compiler uses by itself where it may: bit, macro that it then defines, name.
#define SER_CPU_FEATURES(X)             \
  X(0, __SSE3__, "sse3")                \
  X(1, __SSSE3__, "ssse3")              \
  X(2, __SSE4_1__, "sse4.1")            \
  X(3, __SSE4_2__, "sse4.2")            \
  X(4, __POPCNT__, "popcnt")            \
  X(5, __AVX__, "avx")                  \
  X(6, __AVX2__, "avx2")                \
  X(7, __FMA__, "fma")                  \
  X(8, __BMI__, "bmi")                  \
  X(9, __BMI2__, "bmi2")                \
  X(10, __AVX512F__, "avx512f")         \
  X(11, __AVX512VL__, "avx512vl")       \
  X(12, __AVX512BW__, "avx512bw")       \
  X(13, __AVX512DQ__, "avx512dq")       \
  X(14, __AVX512CD__, "avx512cd")       \
  X(15, __AVX512IFMA__, "avx512ifma")   \
  X(16, __AVX512VBMI__, "avx512vbmi")   \
  X(17, __AVX512VBMI2__, "avx512vbmi2") \
  X(18, __AVX512VNNI__, "avx512vnni")   \
  X(19, __AVX512BITALG__, "avx512bitalg")

/// What the build's flags allow the compiler to use: a bit a feature.
extern const unsigned ser_cpu_needs;
