#include "client-lib/recipes/election.h"

#include <utility>

namespace zabkeeper {

QueueOptions election_queue(std::string path, std::string_view id, wire::Bytes value) {
  QueueOptions options = lock_queue(std::move(path), id);
  options.kind = candidate_kind;
  options.data = std::move(value);
  return options;
}

Proclamation proclaim(const Grant& grant, wire::Bytes value) {
  return {{grant.path, std::move(value)}, {grant.guard()}};
}

}  // namespace zabkeeper
