#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client-lib/recipes/double_barrier.h"
#include "tests/sim/random.h"
#include "tests/sim/service/model.h"
#include "tests/sim/service/recipe_messages.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

class World;

// One user's part in a double barrier: it enters and leaves again and again, and sometimes stops.
//
// Violation `double_barrier`: a generation opens without exactly its first N participants, or
// before all have left the one before; the user is told that it has entered or left before the log
// says so, or another generation than that of its entry; generations do not rise; or a participant
// that has ended has left its entry.
class DoubleBarrierUse : public RecipeUser {
 public:
  DoubleBarrierUse(World& world, std::size_t user, const wire::SessionId& session)
      : world_(world), user_(user), present_session_(session) {}

  void act(Random& random);
  // The user leaves, and does not enter again. If a generation can open, the user enters it first.
  // Returns whether its part has ended.
  bool conclude();
  // At the end of the run.
  void finish() { read_log(); }

  void receive(const wire::Reply& reply);
  void receive(const wire::WatchEvent& event);
  void lost_connection();
  void lost_reply(const wire::RequestId& id);
  void lost_session();

 private:
  enum class Place : std::uint8_t { outside, entering, inside, leaving, stopping };
  // As the log says.
  struct Generation {
    wire::Zxid opened;
    std::uint32_t last = 0;  // the number of its last entry
    std::vector<std::string> entries;
  };

  void begin();
  void leave();
  void stop();
  void remove_some(Random& random);
  void carry_out(const zabkeeper::DoubleBarrierActions& actions, wire::Zxid zxid);
  void on_entered(wire::Zxid zxid);
  void on_left(const zabkeeper::Left& left, wire::Zxid zxid);
  void on_ended(const zabkeeper::Ended& ended);
  // The checks of the log.
  void read_log();
  void on_opened(std::uint32_t last, wire::Zxid zxid);
  // The entries in this state with numbers after the last gate.
  [[nodiscard]] std::vector<std::string> entries_behind_gate(const View& state) const;
  void check_left(const Generation& generation, const View& state, const char* what) const;
  [[noreturn]] void fail(const std::string& what) const;

  World& world_;
  std::size_t user_;
  const wire::SessionId& present_session_;
  wire::SessionId session_;  // of the entry
  std::uint64_t parts_ = 0;  // so many were begun
  std::string id_;
  std::optional<zabkeeper::Participant> barrier_;
  Place place_ = Place::outside;
  std::optional<Generation> entered_;  // while it is inside
  wire::Zxid left_;                    // the last generation that it has left
  bool is_paused_ = false;
  std::vector<Generation> generations_;  // of the log
  // Entries that others have deleted. Such a participant does not keep its generation open.
  std::set<std::string> removed_;
  wire::Zxid checked_to_;
};

}  // namespace sim
