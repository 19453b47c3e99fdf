#include "ser/eval/certainty.h"

#include <algorithm>

#include "ser/core/most_likely.h"

namespace ser {

std::vector<KeptAnswers> risk_coverage(const std::vector<std::string>& labels,
                                       const std::vector<Prediction>& predictions) {
  struct Answer {
    double probability;
    bool right;
  };
  std::vector<Answer> answers;
  for (const Prediction& p : predictions) {
    const std::size_t said = most_likely(p.probabilities);
    answers.push_back({p.probabilities[said], labels[said] == p.emotion});
  }
  std::ranges::sort(answers, std::ranges::greater{}, &Answer::probability);
  std::vector<KeptAnswers> curve;
  KeptAnswers kept;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ++kept.kept;
    kept.right += answers[i].right ? 1 : 0;
    const double next = i + 1 < answers.size() ? answers[i + 1].probability : -1;
    if (next == answers[i].probability) continue;
    kept.from = next < 0 ? 0 : (answers[i].probability + next) / 2;
    curve.push_back(kept);
  }
  return curve;
}

KeptAnswers kept_at_risk(const std::vector<KeptAnswers>& curve, double risk) {
  KeptAnswers best{1, 0, 0};
  for (const KeptAnswers& point : curve)
    if (point.risk() <= risk + 1e-12) best = point;
  return best;
}

}  // namespace ser
