#pragma once

#include <cstddef>
#include <vector>

#include "server/pipeline/environment.h"
#include "session/transaction.h"
#include "tests/sim/checkpoint.h"
#include "wire/forms.h"
#include "zab/events.h"
#include "zab/history.h"

namespace sim {

class World;

// The programs that the servers run: older ones and the newest, which can run at different levels.
// An operator replaces them, one server at a time and in both directions, and changes the level.
class Programs {
 public:
  static constexpr wire::LevelRange oldest{{0}, {0}};
  static constexpr wire::LevelRange newest = wire::known_levels;

  explicit Programs(World& world) : world_(world) {}

  // Chooses the program with which a server starts, from this checkpoint.
  const wire::LevelRange& start(std::size_t server, const Checkpoint& from);
  [[nodiscard]] const wire::LevelRange& of(std::size_t server) const { return running_[server]; }

  // Two servers greet each other. Returns whether they link: each must be able to run at the
  // other's level.
  bool greet(std::size_t a, std::size_t b);
  // What a server knows from the greetings on the links that it has.
  [[nodiscard]] bool can_read(std::size_t server, const Checkpoint& snapshot) const;
  [[nodiscard]] std::vector<server::ServerLevels> known_to(std::size_t server) const;
  // A server has applied this level. It cuts the links with servers that cannot run at it.
  void level_changed(std::size_t server, wire::Level level);

  // Checks that a program whose greatest level is the one in force can read a transaction, and that
  // a level is proposed only if every server can run at it, by its greeting (`no_version_ahead`).
  void check(std::size_t leader, const zab::Submit& submit) const;
  // Checks that a server applies exactly the transactions that its program knows
  // (`no_version_guessed`), and keeps results in versions of the level (`no_version_ahead`). The
  // operator notices a server that has halted.
  void on_delivered(std::size_t server, const zab::Txn& txn);

  // The operator replaces a program, or asks for another level.
  void replace_one();
  void change_level();
  // All servers run the newest program from now on.
  void heal();

 private:
  [[nodiscard]] wire::LevelRange any_older();
  [[nodiscard]] bool may_step_back(wire::LevelRange program, const Checkpoint& from) const;
  void check_results(std::size_t server, const session::Transaction& txn) const;
  void restart_later(std::size_t server);
  [[nodiscard]] wire::Level level_at(std::size_t server) const;

  World& world_;
  std::vector<wire::LevelRange> running_;               // by server
  std::vector<std::vector<wire::LevelRange>> greeted_;  // by server and the other one
  std::vector<bool> noticed_;  // servers that have halted, which the operator will restart
  bool healing_ = false;
};

}  // namespace sim
