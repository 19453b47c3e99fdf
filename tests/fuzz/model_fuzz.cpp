#include "fuzz/fuzz.h"
#include "ser/model/model.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ser::fuzz::MemoryFile file(data, size);
  return ser::fuzz::refuse_or_accept([&] {
    // A model that is accepted must be able to answer.
    const ser::Predictor predictor(ser::read_model(file.path()));
    ser::Waveform wave{Eigen::VectorXf::Random(1600), 16000};
    predictor.predict(wave);
  });
}
