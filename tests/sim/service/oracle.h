#pragma once

#include <cstdint>
#include <deque>
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

// One request of one user, and what became of it.
struct Asked {
  wire::ClientRequest request;
  std::size_t user = 0;
  wire::SessionId session;
  Time invoked = 0;
  wire::Zxid acknowledged;  // to anybody, when it was asked
  wire::Zxid seen;          // by its user, when it was asked
  std::optional<Time> returned;
  std::optional<wire::Reply> reply;  // as it arrived
};

[[nodiscard]] std::string what(const Asked& asked);
[[nodiscard]] std::string in_words(const wire::WatchEvent& event);

// A watch that a connection must have.
struct Armed {
  wire::RequestId id;
  std::string path;
  bool created = false, changed = false, deleted = false, children = false;
  bool subtree = false;
  bool once = false;
  bool with_data = false;
  std::optional<wire::Zxid> from;
};

// What the oracle knows of a connection.
struct Heard {
  std::size_t server = 0;
  wire::SessionId session;  // none: not open
  std::optional<session::Owner> owner;
  bool dedup = false;
  std::deque<std::shared_ptr<Asked>> waiting;  // taken by the server, and not answered
  std::set<wire::Zxid> used;                   // its transactions that were acknowledged
  wire::Zxid zxid;                             // the last said
  std::vector<Armed> watches;                  // in the order in which they were set
  wire::Zxid expected;                         // as far as `due` goes
  std::deque<wire::WatchEvent> due;            // events that come before anything else
  std::vector<wire::WatchEvent> early;         // events of a watch that is just being set
  std::vector<wire::WatchEvent> untold;        // and of one that is just being removed
};

// Compares all that servers say with the model, by zxid. Violations, by name:
//   replay               the log means what the model says; each reply is the model's at its zxid
//   equal_digest         equal zxid, equal digest
//   fifo                 replies come in the order of requests, with their ids
//   reads_never_go_back  the zxids that a session sees never sink
//   linearizable_reads   they see all that was acknowledged before they began
//   exactly_once         a write of a session that may ask again has one transaction, one outcome
//   no_phantom           a transaction is one of its connection's requests, and once
//   lost_write           what was acknowledged is in the log; what was refused is not
//   watches              (oracle_watches.cc) the events are the model's, none lost, doubled or
//   reordered watch_before_new_data  and before every reply that reflects them session_exactness
//   nothing of a session after its end; no other session than the one asked for
class Oracle {
 public:
  // A transaction, when the first server applies it; and the digest of each that has.
  void on_delivered(const zab::Txn& txn);
  void on_applied(std::size_t server, const session::Service& service);
  // A server has applied that much, and told this line all of it.
  void on_told(Heard& line, wire::Zxid applied) const;

  void on_said(Heard& line, const wire::ServerMessage& message, const session::Service& service);
  void on_arrived(Asked& asked, const wire::Reply& reply, Time now);
  // The whole of a server's state is the model's.
  void compare(const session::Service& service) const;
  // The server takes a request; its connection is lost.
  void on_taken(Heard& line, std::shared_ptr<Asked> asked);
  void on_ended(const Heard& line) { ended_.push_back(line); }
  // At the end: what only the whole log tells.
  void finish();

  [[nodiscard]] wire::Zxid acknowledged() const { return acknowledged_; }
  [[nodiscard]] const Model& model() const { return model_; }

 private:
  void on_connected(Heard& line, const wire::ConnectedReply& reply);
  void on_reply(Heard& line, const wire::Reply& reply, const session::Service& service);
  void expect(Heard& line, wire::Zxid applied) const;
  void on_event(Heard& line, const wire::WatchEvent& event);
  void check_read(Heard& line, const Asked& asked, const wire::Reply& reply,
                  const session::Service& service);
  void check_write(Heard& line, const Asked& asked, const wire::Reply& reply);
  void check_outcome(const Asked& asked, const wire::Reply& reply, wire::Zxid zxid) const;
  void check_refused(const Heard& line, const Asked& asked, const wire::Reply& reply) const;
  void arm(Heard& line, const Asked& asked, const wire::Reply& reply,
           const session::Service& service);
  [[nodiscard]] std::vector<wire::WatchEvent> past_of(const Armed& watch, const wire::Reply& reply,
                                                      const session::Service& service) const;
  bool catch_up(const Heard& line, const Armed& watch, wire::Zxid from,
                std::vector<wire::WatchEvent>& events) const;
  [[nodiscard]] bool is_of(const Asked& asked, const Event& event, wire::Zxid zxid) const;
  // Whether the request would be refused so once `at` is applied.
  [[nodiscard]] bool explains(const wire::Result<wire::ReplyBody>& refusal,
                              const wire::Request& request, wire::SessionId session,
                              wire::Zxid at) const;

  Model model_;
  std::unordered_map<std::uint64_t, std::uint64_t> digests_;  // by zxid
  wire::Zxid acknowledged_;
  // Transactions by whose they are.
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::vector<wire::Zxid>> by_owner_;
  std::vector<Heard> ended_;
  std::map<std::pair<wire::SessionId, std::int64_t>, std::shared_ptr<Asked>> numbered_;
};

}  // namespace sim
