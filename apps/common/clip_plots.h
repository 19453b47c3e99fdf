#pragma once

#include <string>
#include <vector>

#include "extraction.h"
#include "ser/report/picture.h"

namespace ser {

struct PlotOptions {
  std::string plot;  ///< folder; empty: no pictures
  std::vector<std::string> pictures = {"sheet"};
  report::PictureFormat plot_format = report::PictureFormat::kSvg;

  void visit(FieldVisitor& v);
};

/// Throws UsageError for unknown pictures.
void check_pictures(const PlotOptions& options);

/// Draws every recording, in parallel, into the folder `options.plot`, whose tree becomes that of
/// the clips' paths: "Actor_01/a.wav" gives "Actor_01/a.wav.sheet.svg". Returns how many files were
/// written. Recordings that cannot be read are skipped if `on_error` says so.
/// Throws Error for a recording that cannot be read, a file that cannot be written, and if gnuplot
/// is missing.
std::size_t plot_recordings(const std::vector<Recording>& recordings, const FeatureSet& set,
                            const PlotOptions& options, OnError on_error,
                            const CommonOptions& common);

}  // namespace ser
