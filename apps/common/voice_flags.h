#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ser/core/atomic_file.h"
#include "ser/core/options.h"
#include "ser/model/listener.h"

namespace ser {

/// Whose voice it is.
struct VoiceFlags {
  std::vector<std::string> enroll;
  std::string remember;
  bool one_speaker = false;
  bool no_adapt = false;

  void visit(FieldVisitor& v);
};

/// Whether answers are about a stretch of time, in which a voice can be heard, or a recording.
enum class Answers { kOfRecordings, kOverTime };

/// Throws UsageError for flags that do not go together.
void check_voice(const VoiceFlags& flags);

/// Throws UsageError if flags need a model that listens and this one does not.
void check_listens(const VoiceFlags& flags, const Model& model, const std::string& name);

/// Whom the listener adapts to. Where somebody says whose voice it is, no other is expected.
Adapting adapting(const VoiceFlags& flags, Answers answers);

/// The file of --remember: a voice from earlier runs, and its place for later ones.
class RememberedVoice {
 public:
  /// Reads the voice, if the file exists, and sees that it can be written. Throws Error, naming the
  /// file, if it is no voice of this model.
  RememberedVoice(const VoiceFlags& flags, Predictor& predictor);
  /// Puts the voice in place; a voice of which nothing was heard is not kept, with a warning.
  /// Throws Error where another program has put one there since.
  void keep(const Voice& voice);

 private:
  std::string text_there() const;

  std::string path_;
  std::string model_;               ///< its `identity`
  std::string before_;              ///< what the file held when it was read
  std::optional<AtomicFile> file_;  ///< nothing: there is nothing to keep
};

/// Says on stderr what was heard of the voice, if anything, and whether the speaker changed.
void tell_of_voice(const std::string& name, const Listener& listener);

}  // namespace ser
