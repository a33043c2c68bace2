#pragma once

#include <string>
#include <utility>

#include "wire/requests.h"
#include "wire/zxid.h"

namespace zabkeeper {

// The condition that the node at this path is still the one that this transaction has created.
[[nodiscard]] inline wire::Condition same_node(std::string path, wire::Zxid czxid) {
  wire::Condition condition{std::move(path), {}, {}};
  condition.tests.czxid = czxid;
  return condition;
}

// What is held: a node of this session below the path of a lock, whose turn has come.
struct Grant {
  std::string path;  // of the node
  wire::Zxid czxid;  // the transaction that created the node
  // The czxid of the node with which the session has waited: it differs from `czxid` after a
  // downgrade. Of two grants that exclude each other, the later one has the greater token. Grants
  // that do not exclude each other (of readers, of a semaphore) come with their tokens in any
  // order, so a resource can compare their tokens only with those of grants that exclude them.
  wire::Zxid token;

  // The condition of every write that may happen only while this is held. If it does not hold, the
  // service refuses the write with ConditionFailed.
  [[nodiscard]] wire::Condition guard() const { return same_node(path, czxid); }

  bool operator==(const Grant&) const = default;
};

}  // namespace zabkeeper
