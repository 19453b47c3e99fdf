#pragma once

#include <optional>
#include <vector>

#include "ser/eval/metrics.h"

namespace ser {

/// Fewer independent units than these (speakers, mostly) get no interval: it would span half of all
/// there is.
inline constexpr std::size_t kLeastUnits = 4;

/// The 97.5 % point of Student's t with `degrees` >= 1 degrees of freedom.
double student_t_975(int degrees);

/// Wilson's score interval of a share of `clips` independent clips.
Interval wilson(double share, double clips, double quantile);

/// Standard error of a score, from its values without one unit at a time: the jackknife over units
/// (Tukey 1958; Efron and Stein 1981).
double jackknife_error(const std::vector<double>& without_one);

/// The 95 % interval of a share: t quantiles of one degree of freedom less than units on the log
/// odds, whose error is that of the share by the delta method. A share of 0 or 1, or one without
/// spread between units, gets Wilson's interval for `clips` independent clips with the same
/// quantile. Nothing below kLeastUnits units.
std::optional<Interval> share_interval(double share, const std::vector<double>& without_one,
                                       double clips);

/// The 95 % interval of a difference of shares, by t quantiles, within [-1, 1].
/// Nothing below kLeastUnits units.
std::optional<Interval> difference_interval(double difference,
                                            const std::vector<double>& without_one);

}  // namespace ser
