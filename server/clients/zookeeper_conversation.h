#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/clients/zookeeper_watches.h"
#include "wire/frames.h"
#include "wire/jute/requests.h"
#include "wire/replies.h"

namespace server {

// Translates between one client of ZooKeeper's protocol and the pipeline: its requests into ours,
// and our messages into its replies and events. A function of values, without a socket or a clock.
// The pipeline answers requests in their order. So each reply belongs to the oldest request that
// waits.
class ZooKeeperConversation {
 public:
  // The client's first frame.
  [[nodiscard]] wire::ParsedFrame connect(wire::jute::Connect&& connect);
  // A later frame. Returns the requests of ours that it becomes, if any. If it needs none, its
  // reply is appended to `out` as soon as all earlier requests are answered. While `has_requests`
  // is true, call `requests` instead.
  [[nodiscard]] std::optional<wire::ParsedFrame> take(wire::jute::ParsedRequest&& request,
                                                      std::string& out);
  // Whether earlier frames need more requests of ours: the rest of a long list, or watches to
  // remove. `requests` returns the next ones.
  [[nodiscard]] bool has_requests() const;
  [[nodiscard]] wire::ParsedFrame requests();
  // Appends the frames that a message becomes, if any.
  void on(const wire::ServerMessage& message, std::string& out);

  // Whether a request came that ends the connection after its reply. No later request is carried
  // out.
  [[nodiscard]] bool ends() const { return ends_; }
  // Whether the connection must be closed once `out` is sent: after some errors, or because
  // ZooKeeper's protocol has no such event.
  [[nodiscard]] bool closes() const { return closes_; }
  // The memory of waiting requests and watches, in bytes, about.
  [[nodiscard]] std::size_t memory() const;

 private:
  using WatchKind = ZooKeeperWatches::Kind;
  using WatchId = ZooKeeperWatches::Id;

  // A request that is not answered yet.
  struct Waiting {
    wire::jute::Header header;
    std::size_t left = 0;  // replies of the pipeline that are still to come
    std::int32_t error = 0;
    std::string body = {};                                 // of its reply, the part that is known
    std::optional<std::string> text = {};                  // Ask::text, or a path of a quota
    std::vector<wire::jute::Opcode> types = {};            // of a multi
    std::optional<wire::jute::ChangeWatches> change = {};  // carried out when its turn comes
    std::optional<std::int64_t> since = {};                // of setWatches
    std::deque<WatchId> watches = {};                      // that our requests set, in order
    wire::jute::Answer::Then then = wire::jute::Answer::Then::goes_on;
    bool is_ours = false;  // the client did not send it
  };
  // A watch that is not requested yet.
  struct Wanted {
    std::string path;
    WatchKind kind;
  };

  [[nodiscard]] static wire::jute::Opcode type_of(const Waiting& waiting) {
    return wire::jute::Opcode{waiting.header.type};
  }
  // Each begins a request of the client, and returns the requests of ours that can be sent at once.
  using Requests = std::vector<wire::ParsedRequest>;
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::Ask&& ask);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::Multi&& multi);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::MultiRead&& multi);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::AddWatch&& add);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::ChangeWatches&& change);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::SetWatches&& set);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::Answer&& answer);
  [[nodiscard]] Requests next_part();
  [[nodiscard]] wire::ClientRequest watch_request(Waiting& waiting, Wanted&& wanted);
  void remove_watches(const std::vector<WatchId>& watches);

  void on_message(const wire::Reply& reply, std::string& out);
  void on_message(const wire::WatchEvent& event, std::string& out);
  void on_message(const wire::ConnectedReply& reply, std::string& out);
  void on_message(const wire::ConnectRefused& refused, std::string& out);
  // ZooKeeper's protocol has no such message. The connection closes without one.
  void on_message(const wire::Expired&, std::string&) {}
  void on_message(const wire::GoAway&, std::string&) {}

  [[nodiscard]] static bool is_of_quota(const Waiting& waiting, wire::ErrorCode code);
  // Takes one of the replies to the oldest request.
  void step(Waiting& waiting, const wire::Reply& reply, std::string& out);
  void step_watch(Waiting& waiting, WatchId watch, const wire::Reply& reply, std::string& out);
  // Answers the oldest requests, up to the first one that still waits for a reply.
  void answer_complete(std::string& out);
  void answer(Waiting& waiting, std::string& out);

  bool has_read_only_ = true;
  bool is_read_only_ = false;  // the session
  bool ends_ = false;
  bool closes_ = false;
  wire::Zxid last_zxid_;  // of the newest message
  std::deque<Waiting> waiting_;
  ZooKeeperWatches watches_;
  std::vector<WatchId> unwanted_;  // watches of ours to be removed
  // The parts of the newest request that are not begun.
  std::deque<Wanted> wanted_;
  std::deque<wire::Request> reads_;
};

}  // namespace server
