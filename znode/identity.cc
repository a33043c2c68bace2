#include "znode/identity.h"

#include <algorithm>
#include <utility>

namespace znode {

Identities Identities::of(std::vector<wire::Identity> list) {
  Identities identities;
  if (!list.empty()) {
    identities.list_ = std::make_shared<const std::vector<wire::Identity>>(std::move(list));
  }
  return identities;
}

const std::vector<wire::Identity>& Identities::list() const {
  static const std::vector<wire::Identity> none;
  return list_ ? *list_ : none;
}

bool Identities::is_super() const {
  return std::ranges::any_of(list(), [](const auto& each) { return each.scheme == "super"; });
}

Identities Identities::with(const std::vector<wire::Identity>& more) const {
  std::vector<wire::Identity> all = list();
  for (const wire::Identity& each : more) {
    if (std::ranges::find(all, each) == all.end()) all.push_back(each);
  }
  return of(std::move(all));
}

bool is_digest_id(std::string_view id) {
  const std::size_t colon = id.find(':');
  return colon != id.npos && colon + 1 < id.size() && id.find(':', colon + 1) == id.npos;
}

}  // namespace znode
