#include "ser/eval/corpus_matrix.h"

#include <algorithm>
#include <map>
#include <optional>

#include "eval/team_folds.h"
#include "ser/corpus/corpus.h"
#include "ser/eval/evaluate.h"

namespace ser {
namespace {

using Clips = std::vector<int>;  // places in the table

/// The clips of each corpus, by name.
std::map<std::string, Clips> clips_by_corpus(const std::vector<Utterance>& clips) {
  std::map<std::string, Clips> corpora;
  for (std::size_t i = 0; i < clips.size(); ++i) corpora[clips[i].corpus].push_back(i);
  return corpora;
}

/// Trained on one corpus, tested on another: as `make_folds` divides a table of the two. Nothing
/// is tested where they have fewer than two classes in common.
Fold fold_between(const std::vector<Utterance>& clips, const Clips& trained, const Clips& tested) {
  const std::vector<std::string> known = emotion_labels(clips, trained);
  const auto is_common = [&](const std::string& emotion) {
    return std::ranges::find(known, emotion) != known.end();
  };
  if (std::ranges::count_if(emotion_labels(clips, tested), is_common) < 2) return {trained, {}, {}};
  Clips both;
  std::ranges::merge(trained, tested, std::back_inserter(both));
  std::vector<Fold> folds = make_folds(clips, both, parse_split_scheme("corpora"), 0);
  const auto corpus_of = [&](int clip) { return clips[clip].corpus; };
  return std::move(folds[corpus_of(folds[0].test[0]) == corpus_of(tested[0]) ? 0 : 1]);
}

/// What models of one corpus each say of every other.
class Transfers {
 public:
  Transfers(const FeatureTable& table, const Recipe& recipe, const KeptFolds& kept)
      : table_(table), recipe_(recipe), kept_(kept), labels_(emotion_labels(table.clips)) {
    for (const auto& [name, clips] : clips_by_corpus(table.clips)) {
      names_.push_back(name);
      clips_.push_back(clips);
    }
    said_.assign(count(), std::vector<FoldPredictions>(count()));
  }

  std::size_t count() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }

  /// Trains on corpus k and asks about all others, unless that is kept already.
  void run(std::size_t k, const RunOptions& run, int heard, bool resume) {
    std::optional<FoldDone> done = kept_.read(k, count(), resume);
    if (!done) {
      done = {validate(k, run, heard), {}};
      kept_.write(k, *done);
    }
    for (std::size_t t = 0; t < count(); ++t) said_[t][k] = std::move(done->by_heard[t]);
  }

  void share(Team& team) {
    for (std::vector<FoldPredictions>& of_corpus : said_) share_folds(team, of_corpus);
  }

  std::vector<MatrixCell> cells() const {
    std::vector<MatrixCell> cells;
    for (std::size_t k = 0; k < count(); ++k)
      for (std::size_t t = 0; t < count(); ++t) {
        const std::vector<Prediction>& said = said_[t][k].predictions;
        if (said.empty()) continue;
        cells.push_back({{names_[k]}, {names_[t], score(labels_, said), intervals(labels_, said)}});
      }
    return cells;
  }

 private:
  /// What a model of corpus k says of each corpus; nothing of its own.
  std::vector<FoldPredictions> validate(std::size_t k, const RunOptions& run, int heard) const {
    std::vector<FoldPredictions> said(count());
    std::map<Clips, Model> models;  // by training clips: one, but where corpora share recordings
    for (std::size_t t = 0; t < count(); ++t) {
      if (t == k) continue;
      const Fold fold = fold_between(table_.clips, clips_[k], clips_[t]);
      if (fold.test.empty()) continue;
      auto model = models.find(fold.train);
      if (model == models.end()) {
        const TrainingData data = training_data(table_, fold.train, recipe_, run.seed, run.stream);
        model = models.emplace(fold.train, train(data, recipe_, run)).first;
      }
      const Asking asking{draw_heard(table_.clips, fold.test, heard, run.seed), labels_,
                          emotion_labels(table_.clips, fold.test)};
      said[t] = {static_cast<int>(k), fold.test_speakers,
                 evaluate(model->second, {&table_}, fold.test, run.threads, asking)};
    }
    return said;
  }

  const FeatureTable& table_;
  const Recipe& recipe_;
  const KeptFolds& kept_;
  std::vector<std::string> labels_;
  std::vector<std::string> names_;
  std::vector<Clips> clips_;                        ///< by corpus
  std::vector<std::vector<FoldPredictions>> said_;  ///< by the corpus tested, then trained on
};

/// What `result` of --cv corpora says of each corpus, by models of all others.
std::vector<MatrixCell> of_all_others(const ResultFile& result,
                                      const std::vector<std::string>& names) {
  std::vector<MatrixCell> cells;
  for (CorpusScore& tested : by_corpus(result)) {
    std::vector<std::string> others = names;
    std::erase(others, tested.corpus);
    cells.push_back({std::move(others), std::move(tested)});
  }
  return cells;
}

}  // namespace

std::vector<MatrixCell> corpus_matrix(const FeatureTable& table, const ResultFile& result,
                                      const Recipe& recipe, std::uint64_t seed, int threads,
                                      const CorpusObserver& observer, int heard, Team& team,
                                      const KeepFolds& keep) {
  const KeptFolds kept(keep.folder,
                       keep.folder.empty() ? "" : run_key(table, "matrix", recipe, seed, {heard}),
                       "trained-on");
  Transfers transfers(table, recipe, kept);
  const std::size_t count = transfers.count();
  if (count == 2) {  // each is all others
    std::vector<MatrixCell> cells = of_all_others(result, transfers.names());
    std::ranges::sort(cells, {}, &MatrixCell::trained_on);
    return cells;
  }
  parallel_for_mine(team, count, threads, [&](std::size_t k) {
    RunOptions run{seed, count + k, threads};
    run.observer = [&](const EpochReport& epoch) {
      if (observer) observer(transfers.names()[k], epoch);
    };
    transfers.run(k, run, heard, keep.resume);
  });
  transfers.share(team);
  std::vector<MatrixCell> cells = transfers.cells();
  std::ranges::move(of_all_others(result, transfers.names()), std::back_inserter(cells));
  return cells;
}

MatrixTable matrix_table(const ResultFile& result) {
  MatrixTable table;
  for (const MatrixCell& cell : result.matrix) table.tested_on.push_back(cell.tested.corpus);
  std::ranges::sort(table.tested_on);
  table.tested_on.erase(std::unique(table.tested_on.begin(), table.tested_on.end()),
                        table.tested_on.end());
  for (const MatrixCell& cell : result.matrix) {
    const std::string name = cell.trained_on.size() == 1 ? cell.trained_on[0] : "all others";
    if (table.rows.empty() || table.rows.back().trained_on != name)
      table.rows.push_back(
          {name, std::vector<const CorpusScore*>(table.tested_on.size(), nullptr)});
    const auto column = std::ranges::lower_bound(table.tested_on, cell.tested.corpus);
    table.rows.back().cells[column - table.tested_on.begin()] = &cell.tested;
  }
  return table;
}

}  // namespace ser
