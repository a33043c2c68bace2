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

// A client of ZooKeeper's protocol and the pipeline, as a function of values: turns its requests
// into ours, and our messages into its replies and events. The pipeline answers requests in their
// order, so the oldest request that waits is the one that is answered.
class ZooKeeperConversation {
 public:
  // The client's first frame.
  [[nodiscard]] wire::ParsedFrame connect(wire::jute::Connect&& connect);
  // A later frame. Returns the requests that it becomes, if any; replies that depend on nothing are
  // appended to `out`. While `has_requests`, call `requests` instead.
  [[nodiscard]] std::optional<wire::ParsedFrame> take(wire::jute::ParsedRequest&& request,
                                                      std::string& out);
  // Requests that follow from earlier ones: the rest of a long list, and watches to be removed.
  [[nodiscard]] bool has_requests() const;
  [[nodiscard]] wire::ParsedFrame requests();
  // Appends what a message becomes, perhaps nothing.
  void on(const wire::ServerMessage& message, std::string& out);

  // A request ends the connection once it is answered. Nothing after it is carried out.
  [[nodiscard]] bool ends() const { return ends_; }
  // The connection is to be closed once `out` is sent: after some errors, or because an event
  // cannot be told.
  [[nodiscard]] bool closes() const { return closes_; }
  // The memory that waiting requests and watches take, approximately.
  [[nodiscard]] std::size_t memory() const;

 private:
  using WatchKind = ZooKeeperWatches::Kind;
  using WatchId = ZooKeeperWatches::Id;

  // A request that is not answered yet.
  struct Waiting {
    wire::jute::Header header;
    std::size_t left = 0;  // replies of ours that are still to come
    std::int32_t error = 0;
    std::string body = {};                                 // of its reply, as far as it is known
    std::optional<std::string> text = {};                  // see wire::jute::Ask; a path of a quota
    std::vector<wire::jute::Opcode> types = {};            // of a multi
    std::optional<wire::jute::ChangeWatches> change = {};  // is done when its turn comes
    std::optional<std::int64_t> since = {};                // of setWatches
    std::deque<WatchId> watches = {};                      // that our requests set, in their order
    wire::jute::Answer::Then then = wire::jute::Answer::Then::goes_on;
    bool is_ours = false;  // the client did not send it
  };
  struct Wish {
    std::string path;
    WatchKind kind;
  };

  [[nodiscard]] static wire::jute::Opcode type_of(const Waiting& waiting) {
    return wire::jute::Opcode{waiting.header.type};
  }
  // Each begins a request. They return the requests of ours.
  using Requests = std::vector<wire::ParsedRequest>;
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::Ask&& ask);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::Multi&& multi);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::MultiRead&& multi);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::AddWatch&& add);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::ChangeWatches&& change);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::SetWatches&& set);
  [[nodiscard]] Requests begin(Waiting& waiting, wire::jute::Answer&& answer);
  [[nodiscard]] Requests next_part();
  [[nodiscard]] wire::ClientRequest watch_request(Waiting& waiting, Wish&& wish);
  void remove_watches(const std::vector<WatchId>& watches);

  void on_message(const wire::Reply& reply, std::string& out);
  void on_message(const wire::WatchEvent& event, std::string& out);
  void on_message(const wire::ConnectedReply& reply, std::string& out);
  void on_message(const wire::ConnectRefused& refused, std::string& out);
  // The connection closes without a word.
  void on_message(const wire::Expired&, std::string&) {}
  void on_message(const wire::GoAway&, std::string&) {}

  [[nodiscard]] static bool is_of_quota(const Waiting& waiting, wire::ErrorCode code);
  // One of the replies for the oldest request.
  void step(Waiting& waiting, const wire::Reply& reply, std::string& out);
  void step_watch(Waiting& waiting, WatchId watch, const wire::Reply& reply, std::string& out);
  // Answers the oldest requests that wait for nothing more.
  void answer_complete(std::string& out);
  void answer(Waiting& waiting, std::string& out);

  bool has_read_only_ = true;
  bool is_read_only_ = false;  // the session
  bool ends_ = false;
  bool closes_ = false;
  wire::Zxid last_zxid_;  // of a message
  std::deque<Waiting> waiting_;
  ZooKeeperWatches watches_;
  std::vector<WatchId> unwanted_;  // watches of ours to be removed
  // The parts of the newest request that are not begun.
  std::deque<Wish> wishes_;
  std::deque<wire::Request> reads_;
};

}  // namespace server
