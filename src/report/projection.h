#pragma once

#include <Eigen/Core>

namespace ser::report {

/// The directions in which points differ most.
struct PrincipalComponents {
  Eigen::MatrixXd scores;  ///< [components x points], centred
  Eigen::VectorXd shares;  ///< of the variance, one a component
};

/// Principal components of points [dimensions x points], at most `count` of them, by subspace
/// iteration (Halko, Martinsson and Tropp 2011, algorithm 4.4). Signs are fixed: the largest score
/// of a component is positive.
PrincipalComponents principal_components(const Eigen::MatrixXd& points, Eigen::Index count);

/// Points [dimensions x points] in the plane, [2 x points], neighbours kept together: exact t-SNE
/// (van der Maaten and Hinton 2008) that starts from the principal components, perplexity 30 or a
/// third of the points. It draws nothing, and `threads` changes no bit. Memory and time grow with
/// the square of the points. Fewer than kFewestPoints are returned as principal components.
Eigen::MatrixXd t_sne(const Eigen::MatrixXd& points, int threads);

inline constexpr Eigen::Index kFewestPoints = 8;

}  // namespace ser::report
