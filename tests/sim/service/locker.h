#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "wire/replies.h"
#include "wire/requests.h"

namespace sim {

// ZooKeeper's recipe for a lock, from one user's side: an ephemeral sequential node below /lock;
// who has the first one holds the lock, and everybody else watches the one before their own.
// It says what to ask, and is told what came of it; one request at a time.
class Locker {
 public:
  // Wants the lock; lets it go, or does not want it any more.
  void want();
  void let_go();

  [[nodiscard]] std::optional<wire::Request> next() const;
  void asked(const wire::RequestId& id) { asked_ = watch_ = id; }
  [[nodiscard]] const std::optional<wire::RequestId>& under_way() const { return asked_; }
  void hear(const wire::Reply& reply, wire::SessionId session);
  void hear(const wire::WatchEvent& event);
  // Nobody watches any more; what was asked will not be answered either.
  void lost_connection();
  void lost_answer();
  // With all that was the session's.
  void lost_session() { *this = {}; }

  [[nodiscard]] bool rests() const { return step_ == Step::rest; }
  [[nodiscard]] bool holds() const { return step_ == Step::hold; }
  [[nodiscard]] bool has_waited() const { return has_waited_; }
  [[nodiscard]] wire::Zxid token() const { return token_; }

 private:
  // What is to be asked, or was; rest, wait and hold: nothing.
  enum class Step : std::uint8_t { rest, create, list, watch, wait, hold, remove };

  void judge(const wire::ChildrenReply& reply, wire::SessionId session);

  Step step_ = Step::rest;
  bool wants_ = false;
  bool has_waited_ = false;
  bool fired_ = false;  // the watch, before its reply came
  std::optional<wire::RequestId> asked_;
  wire::RequestId watch_;
  std::string mine_, before_mine_;
  wire::Zxid token_;
};

}  // namespace sim
