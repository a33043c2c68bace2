#pragma once

#include <optional>
#include <string>

#include "client-lib/recipes/observer.h"
#include "tests/sim/service/model.h"

namespace sim {

// Compares what one observer of an election tells with the leaders of the log.
// Violation `leaders`: a leader, or one of its values, is missing, wrong or told out of order, and
// no gap is told.
class LeaderSequence {
 public:
  LeaderSequence(const Model& model, std::string election)
      : model_(model), election_(std::move(election)) {}

  void on_changed(const zabkeeper::LeaderChanged& changed);
  // A gap, or the observer begins anew.
  void on_gap() { told_to_.reset(); }
  // The observer has told all changes up to this zxid.
  void on_told_all(wire::Zxid zxid);

 private:
  struct Leader {
    wire::Zxid czxid;
    wire::Bytes value;

    bool operator==(const Leader&) const = default;
  };

  [[nodiscard]] std::optional<Leader> leader_at(wire::Zxid zxid) const;
  [[nodiscard]] bool concerns(const Event& event) const;
  void expect_no_change(wire::Zxid before) const;

  const Model& model_;
  std::string election_;
  std::optional<wire::Zxid> told_to_;  // none: not begun
  std::optional<Leader> leader_;       // since then
};

}  // namespace sim
