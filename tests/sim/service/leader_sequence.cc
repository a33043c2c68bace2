#include "tests/sim/service/leader_sequence.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "tests/sim/violation.h"

namespace sim {
namespace {

constexpr std::size_t digits_at_end = 10;

std::string digits_of(const std::string& name) {
  return name.size() < digits_at_end ? "" : name.substr(name.size() - digits_at_end);
}

}  // namespace

// All nodes below an election are candidates, and no number is negative in a run.
std::optional<LeaderSequence::Leader> LeaderSequence::leader_at(wire::Zxid zxid) const {
  const View view = model_.at(zxid);
  const std::vector<std::string> names = view.children(election_);
  if (names.empty()) return std::nullopt;
  const auto first = std::ranges::min_element(names, {}, digits_of);
  const auto node = view.find(election_ + '/' + *first);
  return Leader{node->stat.czxid, node->data};
}

bool LeaderSequence::concerns(const Event& event) const {
  return std::ranges::any_of(event.changes, [&](const ZnodeChange& change) {
    return parent_path(change.path) == election_;
  });
}

void LeaderSequence::expect_no_change(wire::Zxid before) const {
  for (auto each = model_.events().upper_bound(*told_to_);
       each != model_.events().end() && each->first < before; ++each) {
    if (!concerns(each->second) || leader_at(each->first) == leader_) continue;
    throw Violation("leaders", "the leader since " + wire::to_string(each->first) +
                                   " is missing, before " + wire::to_string(before));
  }
}

void LeaderSequence::on_changed(const zabkeeper::LeaderChanged& changed) {
  std::optional<Leader> leader;
  if (changed.leader) leader = {changed.leader->token, changed.leader->value};
  if (told_to_ && changed.zxid < *told_to_) {
    throw Violation("leaders", "the leader since " + wire::to_string(changed.zxid) +
                                   " is told after " + wire::to_string(*told_to_));
  }
  if (leader != leader_at(changed.zxid)) {
    throw Violation("leaders", "the leader since " + wire::to_string(changed.zxid) + " is wrong");
  }
  if (told_to_) expect_no_change(changed.zxid);
  told_to_ = changed.zxid;
  leader_ = std::move(leader);
}

void LeaderSequence::on_told_all(wire::Zxid zxid) {
  if (!told_to_ || zxid <= *told_to_) return;
  expect_no_change(zxid.next());
  told_to_ = zxid;
}

}  // namespace sim
