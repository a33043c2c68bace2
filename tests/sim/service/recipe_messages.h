#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "client-lib/recipes/recipe_actions.h"
#include "tests/sim/random.h"
#include "wire/requests.h"

namespace sim {

// The requests that a user sends for its recipes, and the requests to which replies and events
// belong. The caller gives each recipe a number; 0: a request of the user itself.
class RecipeMessages {
 public:
  struct Origin {
    std::uint64_t recipe = 0;
    std::uint64_t number = 0;  // of the Ask
  };

  void add(std::uint64_t recipe, zabkeeper::Ask ask);
  // The next request to send. `sent` follows.
  [[nodiscard]] std::optional<wire::ClientRequest> next();
  void sent(const wire::RequestId& id) { origins_[id.json] = sending_; }
  [[nodiscard]] bool has_unsent() const { return !unsent_.empty(); }

  [[nodiscard]] bool knows(const wire::RequestId& id) const { return origins_.contains(id.json); }
  [[nodiscard]] std::optional<Origin> origin_of(const wire::RequestId& id) const;

  void drop_unsent() { unsent_.clear(); }
  // Only those whose Ask has this number.
  void drop_unsent(std::uint64_t number);
  // Later replies and events belong to no request.
  void forget_sent() { origins_.clear(); }
  // Both.
  void clear() {
    drop_unsent();
    forget_sent();
  }
  // Both, of one recipe: the numbers of a recipe must not be taken for those of the next one.
  void forget(std::uint64_t recipe);

 private:
  struct Unsent {
    std::uint64_t recipe = 0;
    zabkeeper::Ask ask;
  };

  std::deque<Unsent> unsent_;
  Origin sending_;
  std::map<std::string, Origin> origins_;  // by request id
};

// The part that all users of recipes have in common. The user sends the requests that `next`
// returns, reports their ids, and passes the replies and events.
class RecipeUser {
 public:
  [[nodiscard]] std::optional<wire::ClientRequest> next() { return messages_.next(); }
  void sent(const wire::RequestId& id) { messages_.sent(id); }
  [[nodiscard]] bool knows(const wire::RequestId& id) const { return messages_.knows(id); }

 protected:
  ~RecipeUser() = default;

  RecipeMessages messages_;
};

// An id for a recipe, a Presence for example: 32 hex digits.
[[nodiscard]] std::string some_recipe_id(Random& random);

}  // namespace sim
