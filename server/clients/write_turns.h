#pragma once

#include <deque>
#include <memory>

namespace server {

class Carrier;

// The connections of one thread that have something to write, in their order. They write in the
// next turn of the event loop, at most 64 in one turn: an event for thousands of clients delays
// nothing else. A connection whose batch still grows waits for another turn, so that messages which
// become ready together leave together.
class WriteTurns {
 public:
  // `carrier` gets one turn; it must not wait for one already.
  void enter(const std::shared_ptr<Carrier>& carrier);

 private:
  void serve_soon(const std::shared_ptr<Carrier>& any);
  void serve();

  std::deque<std::weak_ptr<Carrier>> waiting_;
  bool scheduled_ = false;  // the event loop will call `serve`
};

}  // namespace server
