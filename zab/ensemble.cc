#include "zab/ensemble.h"

#include <algorithm>
#include <map>
#include <utility>

namespace zab {

Ensemble::Ensemble(std::vector<Member> members) : members_(std::move(members)) {
  std::ranges::sort(members_, {}, &Member::id);
}

const Member* Ensemble::find(ServerId id) const {
  const auto found = std::ranges::lower_bound(members_, id, {}, &Member::id);
  return found != members_.end() && found->id == id ? &*found : nullptr;
}

bool Ensemble::contains(ServerId id) const { return find(id) != nullptr; }

bool Ensemble::is_voter(ServerId id) const {
  const Member* member = find(id);
  return member != nullptr && !member->observer && member->weight > 0;
}

bool Ensemble::is_quorum(const std::vector<ServerId>& servers) const {
  struct Tally {
    std::uint64_t all = 0;
    std::uint64_t present = 0;
  };
  std::map<std::uint32_t, Tally> groups;
  for (const Member& member : members_) {
    if (!is_voter(member.id)) continue;
    Tally& tally = groups[member.group];
    tally.all += member.weight;
    if (std::ranges::find(servers, member.id) != servers.end()) tally.present += member.weight;
  }
  const auto majorities = std::ranges::count_if(
      groups, [](const auto& group) { return 2 * group.second.present > group.second.all; });
  return 2 * static_cast<std::size_t>(majorities) > groups.size();
}

bool Ensemble::are_all_voters(const std::vector<ServerId>& servers) const {
  return std::ranges::all_of(members_, [&](const Member& member) {
    return !is_voter(member.id) || std::ranges::find(servers, member.id) != servers.end();
  });
}

}  // namespace zab
