#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

// One user's side of ZooKeeper's lock recipe. Each user creates an ephemeral sequential node below
// /lock. The owner of the first node holds the lock; each other user watches the node before its
// own. The user sends the request that `next` returns, one at a time, and passes the replies and
// events.
class LockRecipe {
 public:
  // The user wants the lock; it releases the lock, or does not want it any more.
  void want();
  void release();

  [[nodiscard]] std::optional<wire::Request> next() const;
  void sent(const wire::RequestId& id) { outstanding_ = watch_ = id; }
  [[nodiscard]] const std::optional<wire::RequestId>& outstanding() const { return outstanding_; }
  void receive(const wire::Reply& reply, wire::SessionId session);
  void receive(const wire::WatchEvent& event);
  // The connection was lost, and its watch with it; the outstanding request will get no reply.
  void lost_connection();
  void lost_reply();
  // The session ended, and its node was deleted.
  void lost_session() { *this = {}; }

  [[nodiscard]] bool is_idle() const { return step_ == Step::idle; }
  [[nodiscard]] bool holds() const { return step_ == Step::hold; }
  [[nodiscard]] bool has_waited() const { return has_waited_; }
  [[nodiscard]] wire::Zxid token() const { return token_; }

 private:
  // The request to be sent, or sent. None in `idle`, `wait` and `hold`.
  enum class Step : std::uint8_t { idle, create, list, watch, wait, hold, remove };

  void evaluate(const wire::ChildrenReply& reply, wire::SessionId session);

  Step step_ = Step::idle;
  bool is_wanted_ = false;
  bool has_waited_ = false;
  bool has_fired_ = false;  // the watch fired before the reply to its request
  std::optional<wire::RequestId> outstanding_;
  wire::RequestId watch_;
  std::string own_node_, previous_node_;
  wire::Zxid token_;
};

}  // namespace sim
