#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client-lib/actions.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

namespace zabkeeper {

// The watches of a session, and how far each one's events were delivered. After a reconnect each
// watch is set again from that point, so that no event is lost or delivered twice.
class Watches {
 public:
  // Adds the watch that a request sets, if it sets one. Events can come before the reply to the
  // request, so the watch counts from now on.
  void add(Ticket ticket, const wire::Request& request);
  // False if there was no such watch.
  bool remove(Ticket ticket) { return watches_.erase(ticket) > 0; }
  void remove_all() { watches_.clear(); }
  // Removes the watch if no server has accepted it yet.
  void remove_unaccepted(Ticket ticket);
  // Removes all watches; each gets `error` as its last event.
  void end_all(const wire::Error& error, Actions& actions);

  // Every successful or failed reply, before `accepted` or `refused` for the same reply.
  void replied(wire::Zxid zxid);
  // A server has set the watch; `zxid` is that of its reply.
  void accepted(Ticket ticket, wire::Zxid zxid);
  // A server has told whether it is the turn of the node at `path`. If it is, the watch ends: with
  // the event `turn`, under `id`, if its client was told that it must wait.
  void told_turn(Ticket ticket, bool turn, const std::string& path, const wire::RequestId& id,
                 Actions& actions);
  // A server has refused to set the watch, for the first time or again. A watch that waits for a
  // turn ends with the event `deleted` if its node is gone.
  void refused(Ticket ticket, const wire::Error& error, const wire::RequestId& id,
               Actions& actions);
  // Delivers the event, unless it is a repetition or its watch was removed meanwhile.
  void on(wire::WatchEvent&& event, Ticket ticket, Actions& actions);

  void socket_lost();
  // The requests that set the watches again over a new socket.
  struct Resumption {
    Ticket ticket;
    wire::WatchRequest request;
    bool accepted;  // false: the request itself is still outstanding, and only its `from` changes
  };
  [[nodiscard]] std::vector<Resumption> resume();

 private:
  // Events up to and including `delivered` were delivered; of the events at `delivered` itself only
  // the first `events_at_delivered`, if that is set.
  struct Watch {
    wire::WatchRequest request;
    bool accepted = false;  // ever
    wire::Zxid delivered;
    std::optional<std::size_t> events_at_delivered;
    std::size_t skip = 0;              // this many events at `delivered` are repeated by a replay
    std::uint64_t accepted_reply = 0;  // the count of replies when it was last accepted
  };

  static void resume_from_delivered(Watch& watch);
  // An event that no server sent, as of the last reply.
  [[nodiscard]] wire::WatchEvent last_event(wire::EventKind kind, const wire::WatchRequest& request,
                                            const wire::RequestId& id) const;

  std::map<Ticket, Watch> watches_;
  std::uint64_t replies_ = 0;
  wire::Zxid replied_zxid_;  // the highest of a reply: all events up to it came before that reply
};

}  // namespace zabkeeper
