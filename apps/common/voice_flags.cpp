#include "voice_flags.h"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>

#include "command.h"
#include "ser/core/text.h"
#include "talk.h"

namespace ser {
namespace {

constexpr std::uint64_t kMaxBytes = 64 << 20;

}  // namespace

void VoiceFlags::visit(FieldVisitor& v) {
  v.field("enroll", enroll,
          "Recordings or folders of the voice, in several moods, that are heard first; again for "
          "each further PATH");
  v.field("remember", remember,
          "All INPUT is the voice kept in this file (JSON): read it, if it exists, and keep in it "
          "what was heard, too");
  v.field("one_speaker", one_speaker,
          "All INPUT is one voice: each recording is heard for those that follow");
  v.field("no_adapt", no_adapt,
          "Timelines, --live and --remember: hear nothing of the voice in INPUT");
}

void check_voice(const VoiceFlags& flags) {
  if (is_streamed(flags.remember))
    fail<UsageError>("--remember: expected a file to read and write, found none: {}",
                     flags.remember);
  if (flags.no_adapt && flags.one_speaker)
    fail<UsageError>("--one-speaker and --no-adapt: expected one of them");
}

void check_listens(const VoiceFlags& flags, const Model& model, const std::string& name) {
  if (model.listens()) return;
  const char* flag = !flags.enroll.empty()     ? "--enroll"
                     : !flags.remember.empty() ? "--remember"
                     : flags.one_speaker       ? "--one-speaker"
                                               : nullptr;
  if (flag) fail<UsageError>("{}: {} does not listen to voices", flag, name);
}

Adapting adapting(const VoiceFlags& flags, Answers answers) {
  if (flags.no_adapt) return Adapting::kToNobody;
  if (flags.one_speaker || !flags.remember.empty()) return Adapting::kToOneVoice;
  if (answers == Answers::kOfRecordings) return Adapting::kToNobody;
  return flags.enroll.empty() ? Adapting::kToWhoeverSpeaks : Adapting::kToOneVoice;
}

RememberedVoice::RememberedVoice(const VoiceFlags& flags, Predictor& predictor)
    : path_(flags.remember) {
  if (path_.empty()) return;
  model_ = identity(predictor.model());
  before_ = text_there();
  if (!before_.empty())
    with_context(path_, [&] { predictor.set_voice(Voice::from_json(before_, model_)); });
  else if (flags.no_adapt && flags.enroll.empty())
    fail<UsageError>("--remember: expected a voice to read, found no file {}", path_);
  if (!flags.no_adapt || !flags.enroll.empty()) file_.emplace(path_);
}

/// Nothing where there is no file.
std::string RememberedVoice::text_there() const {
  return std::filesystem::exists(path_) ? read_file(path_, kMaxBytes) : "";
}

void RememberedVoice::keep(const Voice& voice) {
  if (!file_) return;
  if (voice.empty()) {
    talk::warn("{}: no speech was heard, nothing is kept", path_);
    return;
  }
  if (text_there() != before_)
    fail(
        "{}: another program has kept the voice meanwhile, what was heard here is not kept: run it "
        "again, one after the other",
        path_);
  file_->write(voice.to_json(model_));
  file_->commit();
}

void tell_of_voice(const std::string& name, const Listener& listener) {
  const double heard_s = listener.voice().duration_s();
  if (!listener.adapts() || heard_s == 0) return;
  talk::info("{}: {:.1f} s of the voice heard{}", name, heard_s,
             listener.changes() == 0
                 ? ""
                 : fmt::format(", since the last of {} changes of speaker", listener.changes()));
}

}  // namespace ser
