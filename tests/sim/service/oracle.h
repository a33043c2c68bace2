#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "session/service.h"
#include "tests/sim/options.h"
#include "tests/sim/random.h"
#include "tests/sim/service/model.h"
#include "wire/replies.h"

namespace sim {

// Whether a request was refused because something is full: then nothing was done.
[[nodiscard]] inline bool is_overload(wire::ErrorCode code) {
  return code == wire::ErrorCode::overloaded || code == wire::ErrorCode::throttled;
}

// One request of a user, with its reply.
struct TrackedRequest {
  wire::ClientRequest request;
  std::size_t user = 0;
  wire::SessionId session;
  Time invoked = 0;
  wire::Zxid acknowledged;  // the last write acknowledged to any user when the request was sent
  wire::Zxid seen;          // the last zxid that its user knew when the request was sent
  std::optional<Time> returned;
  std::optional<wire::Reply> reply;  // as the client received it
};

// "request 5 of user 2"
[[nodiscard]] std::string describe(const TrackedRequest& tracked);
// "watch 5 changed /a at 1:2"
[[nodiscard]] std::string text_of(const wire::WatchEvent& event);
// An error, or a multi that failed.
[[nodiscard]] bool is_failure(const wire::Result<wire::ReplyBody>& body);
// Compares errors by their codes and by the conditions that failed.
[[nodiscard]] bool is_same_result(const wire::Result<wire::ReplyBody>& a,
                                  const wire::Result<wire::ReplyBody>& b);
// Whether a write has fields that only the newest level knows: conditions, and bounds of lists.
[[nodiscard]] bool needs_newest_level(const wire::ClientRequest& request);
// The operation that is too large; none if the request is not refused as too large.
[[nodiscard]] std::optional<std::size_t> too_large_at(const wire::Result<wire::ReplyBody>& body);
// The request without the operations of its multi that come after one which is too large, as the
// reply says: nothing is known of them.
[[nodiscard]] wire::ClientRequest tried(const wire::ClientRequest& request,
                                        const wire::Result<wire::ReplyBody>& reply);
// The number of a write, if its id is a number.
[[nodiscard]] std::optional<std::int64_t> number_of(const TrackedRequest& tracked);

// A watch that must be set for a connection.
struct ExpectedWatch {
  wire::RequestId id;
  std::string path;
  bool created = false, changed = false, deleted = false, children = false;
  bool subtree = false;
  bool once = false;
  bool with_data = false;
  std::optional<wire::Zxid> from;
  std::optional<wire::TurnOptions> turn = {};  // it waits for this turn
};

// The number and the kind of a name, of those that the users of the simulator make. None if it has
// no number.
struct ModelSibling {
  std::uint32_t number = 0;
  std::string kind;
};
[[nodiscard]] std::optional<ModelSibling> sibling_in_model(const std::string& name);
// The names that a list by numbers asks for, in its order, without regard to its limit. Its bounds
// have numbers, and its node exists.
[[nodiscard]] std::vector<std::string> names_by_number(const View& view,
                                                       const wire::ChildrenRequest& list);
// Whether it is the turn of this node, which may be missing. None if its name has no number.
[[nodiscard]] std::optional<bool> is_turn(const View& view, const std::string& path,
                                          const wire::TurnOptions& options);
// Whether the request is a create that asks for a turn.
[[nodiscard]] bool asks_turn(const TrackedRequest& tracked);

// What a request and its reply may have at most: beyond it, the request is refused as too large, or
// a list ends early.
struct RequestBounds {
  std::size_t data_bytes = std::numeric_limits<std::size_t>::max();
  std::size_t frame_bytes = std::numeric_limits<std::size_t>::max();
  std::size_t multi_ops = std::numeric_limits<std::size_t>::max();
  std::size_t reply_bytes = std::numeric_limits<std::size_t>::max();
};

// The oracle's state of a connection.
struct ConnectionState {
  std::size_t server = 0;
  wire::SessionId session;  // none: no session yet
  Time connect_sent = 0;
  std::optional<session::Owner> owner;
  bool dedup = false;
  // Requests that the server has received and not answered.
  std::deque<std::shared_ptr<TrackedRequest>> unanswered;
  std::set<wire::Zxid> acknowledged;       // its transactions that were acknowledged
  wire::Zxid zxid;                         // of the last message to the client
  std::vector<ExpectedWatch> watches;      // in the order in which they were set
  wire::Zxid checked_to;                   // events up to here are in `due`, or were sent
  std::deque<wire::WatchEvent> due;        // events that must be sent next
  std::vector<wire::WatchEvent> early;     // events of a watch whose request is not answered yet
  std::vector<wire::WatchEvent> withheld;  // events of a watch that is being removed
  // The server has no room for its events: these watches get a `resync`, and no read of a later
  // state is answered before that.
  std::vector<wire::RequestId> lagging;
  wire::Zxid lags_at;
};

// Compares all messages to clients with the model, by zxid. Violations, by name:
//
//   replay                 the log has the meaning of the model; each reply is the model's at its
//                          zxid
//   equal_digest           equal zxids have equal digests
//   fifo                   replies come in the order of requests, with their ids
//   reads_never_go_back    the zxids that a session sees never fall
//   linearizable_reads     a linearizable read sees all writes acknowledged before it began
//   exactly_once           a numbered write of a session has one transaction and one result
//   no_phantom             every transaction is one of its connection's requests, only once
//   lost_write             acknowledged writes are in the log, and refused ones are not
//   watches                the events are the model's: none is lost, repeated or out of order
//                          (oracle_watches.cc)
//   watch_before_new_data  events are sent before every reply that includes their changes. Watches
//                          that lag get a resync before every read that includes them.
//   turns                  a node is told its turn when it comes, once, and not before
//                          (oracle_turns.cc)
//   bounds                 a reply is as large as allowed at most; what is refused as too large
//                          would be larger, and a list that ends early too (oracle_bounds.cc)
//   validity               a session does not expire within the time that was promised (validMs)
//   session_exactness      a session has no effects after its end; clients get the session that
//                          they asked for
class Oracle {
 public:
  explicit Oracle(const znode::ReapingRules& rules) : model_(rules) {}
  void bound(const RequestBounds& bounds) { bounds_ = bounds; }
  // An operator may lower the level.
  void expect_lower_levels() { is_level_lowered_ = true; }
  // The limit of the state is small.
  void expect_full_state() { may_be_full_ = true; }
  // A server delivers a transaction; a server has applied one.
  void on_delivered(const zab::Txn& txn, Time now);
  void on_applied(std::size_t server, const session::Service& service);
  // A server has applied a transaction, and has sent all its events to this connection.
  void on_events_sent(ConnectionState& connection, const session::Service& service) const;

  void on_message_sent(ConnectionState& connection, const wire::ServerMessage& message,
                       const session::Service& service);
  void on_reply_received(TrackedRequest& tracked, const wire::Reply& reply, Time now);
  // Compares a server's whole state with the model.
  void compare(const session::Service& service) const;
  // The server receives a request; its connection ends.
  void on_request_received(ConnectionState& connection, std::shared_ptr<TrackedRequest> tracked);
  void on_connection_ended(const ConnectionState& connection) { ended_.push_back(connection); }
  // Checks at the end of the run that need the whole log.
  void finish();

  [[nodiscard]] wire::Zxid acknowledged() const { return acknowledged_; }
  [[nodiscard]] const Model& model() const { return model_; }
  // The state in which a reply last told the turn of the node at this path; none if no reply did.
  [[nodiscard]] wire::Zxid turn_judged_at(const std::string& path) const;

 private:
  // oracle_sessions.cc
  void on_connected(ConnectionState& connection, const wire::ConnectedReply& reply);
  void promise(wire::SessionId session, Time sent, std::int64_t valid_ms);
  void check_promise(const Event& event, Time now);
  void on_reply(ConnectionState& connection, const wire::Reply& reply,
                const session::Service& service);
  void expect(ConnectionState& connection, const session::Service& service) const;
  void on_event(ConnectionState& connection, const wire::WatchEvent& event);
  void on_resync(ConnectionState& connection, const wire::WatchEvent& event) const;
  void check_read(ConnectionState& connection, const TrackedRequest& tracked,
                  const wire::Reply& reply, const session::Service& service);
  void check_write(ConnectionState& connection, const TrackedRequest& tracked,
                   const wire::Reply& reply);
  void check_result(const TrackedRequest& tracked, const wire::Reply& reply, wire::Zxid zxid) const;
  void check_refused(const ConnectionState& connection, const TrackedRequest& tracked,
                     const wire::Reply& reply) const;
  void set_watch(ConnectionState& connection, const TrackedRequest& tracked,
                 const wire::Reply& reply, const session::Service& service);
  [[nodiscard]] std::vector<wire::WatchEvent> past_events(const ExpectedWatch& watch,
                                                          const wire::Reply& reply,
                                                          const session::Service& service) const;
  bool add_later_events(const ConnectionState& connection, const ExpectedWatch& watch,
                        wire::Zxid from, std::vector<wire::WatchEvent>& events) const;
  [[nodiscard]] bool was_too_large(const TrackedRequest& tracked, const Event& event,
                                   wire::Zxid zxid) const;
  [[nodiscard]] bool matches_txn(const TrackedRequest& tracked, const Event& event,
                                 wire::Zxid zxid) const;
  // oracle_turns.cc
  [[nodiscard]] bool is_refused_for_turn(const TrackedRequest& tracked,
                                         const wire::Result<wire::ReplyBody>& reply) const;
  [[nodiscard]] bool explains_no_turn(const TrackedRequest& tracked,
                                      const wire::Reply& reply) const;
  void note_turn(const TrackedRequest& tracked, const wire::Reply& reply,
                 const session::Service& service);
  void check_turn(ConnectionState& connection, const TrackedRequest& tracked,
                  const wire::Reply& reply, const session::Service& service);
  void watch_turn(ConnectionState& connection, const wire::RequestId& id, const std::string& path,
                  const wire::TurnOptions& options, const session::Service& service) const;
  void expect_turns(ConnectionState& connection, wire::Zxid zxid, const Event& event) const;
  [[nodiscard]] bool is_late_turn(ConnectionState& connection, const wire::WatchEvent& event) const;
  // oracle_bounds.cc
  void check_size(const TrackedRequest& tracked, const wire::Reply& reply) const;
  [[nodiscard]] bool agrees(const TrackedRequest& tracked, const wire::Result<wire::ReplyBody>& got,
                            const wire::Result<wire::ReplyBody>& expected) const;
  // Whether `got` is the refusal `expected` without the results of a multi: in a full state no more
  // is kept.
  [[nodiscard]] bool is_short_form(const wire::Result<wire::ReplyBody>& got,
                                   const wire::Result<wire::ReplyBody>& expected) const;
  [[nodiscard]] bool is_too_large(const TrackedRequest& tracked) const;

  // Whether the request would be refused like this in the state at `at`.
  [[nodiscard]] bool explains(const wire::Result<wire::ReplyBody>& refusal,
                              const TrackedRequest& tracked, wire::SessionId session,
                              wire::Zxid at) const;

  [[nodiscard]] bool is_refused_for_level(const TrackedRequest& tracked,
                                          const wire::Result<wire::ReplyBody>& reply) const;

  RequestBounds bounds_;
  bool is_level_lowered_ = false;
  bool may_be_full_ = false;
  Model model_;
  std::unordered_map<std::uint64_t, std::uint64_t> digests_;  // by zxid
  wire::Zxid acknowledged_;
  std::map<std::string, wire::Zxid> turns_judged_;  // by the path of the node
  std::map<wire::SessionId, Time> promised_;        // until when they are kept
  std::map<wire::SessionId, Time> expired_;         // when the first server delivered their expiry
  // The transactions of each connection: by server and number.
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<wire::Zxid>> by_owner_;
  std::vector<ConnectionState> ended_;
  std::map<std::pair<wire::SessionId, std::int64_t>, std::shared_ptr<TrackedRequest>> numbered_;
};

}  // namespace sim
