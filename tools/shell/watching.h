#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>

#include "client-lib/client.h"
#include "wire/replies.h"
#include "wire/requests.h"

namespace shell {

// The events of a watch, in order. If the session ends, the watch is set again in the next session,
// from the last event on. So no event is missed or comes twice. A `resync` says that the servers do
// not know all events at this place.
class Watching {
 public:
  struct Limits {
    std::size_t bytes_max = 0;  // of events that wait, about; 0: any
    // Called by the client's thread after an event has arrived.
    std::function<void()> on_arrival = [] {};
  };

  Watching(zabkeeper::Client& client, wire::WatchRequest request, Limits limits);

  // Sets the watch. Call it first.
  zabkeeper::Client::AnyReply begin();
  // The next event, or the reason why there are no more: Overloaded if more events wait than the
  // limit allows. Returns nothing at the timeout.
  using Event = zabkeeper::Result<wire::WatchEvent>;
  std::optional<Event> take(std::chrono::milliseconds timeout);
  // Removes the watch.
  void end();

  // A watch from this zxid gets all events that were not taken, and those of the last transaction
  // again.
  [[nodiscard]] wire::Zxid position() const { return from_; }

 private:
  struct Arrivals;  // shared with the client's thread

  zabkeeper::Client::AnyReply ask(const zabkeeper::Calls& calls);
  void count(const wire::WatchEvent& event);
  [[nodiscard]] bool is_repetition(const wire::WatchEvent& event);

  zabkeeper::Client& client_;
  wire::WatchRequest request_;
  Limits limits_;
  std::shared_ptr<Arrivals> arrivals_;  // of the present watch; null: it is to be set again
  wire::RequestId id_;
  // The next events are those after `from_`, without the first `taken_` events of the transaction
  // `last_`.
  wire::Zxid from_;
  wire::Zxid last_;
  std::size_t taken_ = 0;
  std::size_t skip_ = 0;  // how many of these `taken_` will come again
};

}  // namespace shell
