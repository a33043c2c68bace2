#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client-lib/recipes/grant.h"
#include "wire/error.h"
#include "wire/requests.h"

// A step of a recipe returns these actions. They must be carried out in their order.
namespace zabkeeper {

// Send the request, and pass its reply with this number. Numbers rise. If the request sets a watch,
// its events have the same number. A request that waits for a connection is sent over the next one.
struct Ask {
  std::uint64_t number = 0;
  wire::Request request;
  std::vector<wire::Condition> conditions = {};

  bool operator==(const Ask&) const = default;
};
// The ensemble has no room, or no server serves: call `again` after a pause.
struct Pause {
  bool operator==(const Pause&) const = default;
};

// The rest tells the user something.

// The node is in the queue, and it is not its turn. Told again after a lost connection.
struct Waiting {
  bool operator==(const Waiting&) const = default;
};
struct Held {
  Grant grant;
  bool operator==(const Held&) const = default;
};
// The write lock has become a read lock.
struct Downgraded {
  Grant grant;
  bool operator==(const Downgraded&) const = default;
};
// A downgrade failed; the lock is held as before.
struct Refused {
  wire::Error error;
  bool operator==(const Refused&) const = default;
};
// The lock was held, and must be taken for lost from now on: it may soon be somebody else's.
struct Lost {
  std::string reason;  // for people
  bool operator==(const Lost&) const = default;
};
// The last action of an acquisition. Its node does not exist (any more), unless `failed` has the
// error of a refused deletion: then the node stays until the session ends.
struct Ended {
  enum class How : std::uint8_t {
    released,
    cancelled,     // released before it was held
    not_acquired,  // it was not its turn at once
    lost,
    failed,
  };
  How how = How::released;
  std::optional<wire::Error> error = {};  // with `failed`

  bool operator==(const Ended&) const = default;
};

using RecipeAction = std::variant<Ask, Pause, Waiting, Held, Downgraded, Refused, Lost, Ended>;
using RecipeActions = std::vector<RecipeAction>;

}  // namespace zabkeeper
