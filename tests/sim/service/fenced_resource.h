#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/service/model.h"

namespace sim {

// Which other holds a hold excludes.
enum class HoldKind : std::uint8_t {
  alone,   // all
  shared,  // those that are alone
  place,   // of a semaphore: there are at most as many as the data of its node say
};

// A user's belief that it holds a lock.
struct LockHold {
  std::size_t user = 0;
  std::string lock;  // its path
  HoldKind kind = HoldKind::alone;
  std::string node;  // its path
  wire::Zxid czxid;  // of the node
  wire::Zxid token;  // the fencing token
  wire::Zxid since;  // the zxid of the message that told the turn of the node

  bool operator==(const LockHold&) const = default;
};

// Resources outside of the service, each protected by one lock. A resource remembers the greatest
// fencing tokens, and refuses smaller ones. Users also report when they acquire and release a lock.
// A hold is valid as long as the log says that its node exists. Violations:
//   lock     two valid holds at one zxid exclude each other; a semaphore has too many holds; or a
//            hold has no node
//   fencing  a token is refused although its hold is valid and not released
class FencedResource {
 public:
  explicit FencedResource(const Model& model) : model_(model) {}

  void on_acquired(const LockHold& hold);
  // The user releases the lock, or does not hold it any more.
  void on_released(const LockHold& hold);
  // A use of the resource. Returns whether the token is accepted. Uses may arrive late.
  bool use(const LockHold& hold);
  // Whether others hold this lock too, according to themselves.
  [[nodiscard]] bool is_shared(const std::string& lock) const;

 private:
  // The greatest tokens that were used.
  struct Greatest {
    wire::Zxid alone;
    wire::Zxid any;
  };

  [[nodiscard]] bool is_valid(const LockHold& hold, wire::Zxid at) const;
  void check_alone(const LockHold& hold) const;
  void check_places(const LockHold& hold) const;
  [[nodiscard]] std::size_t limit_of(const LockHold& hold) const;

  const Model& model_;
  std::vector<LockHold> holds_;               // not released
  std::map<std::string, Greatest> greatest_;  // by the path of the lock
};

}  // namespace sim
