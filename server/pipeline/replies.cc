#include "server/pipeline/replies.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "server/clients/limits.h"
#include "server/pipeline/admission.h"

namespace server {
namespace {

void charge(Client& client, const RequestTiming& timing) {
  client.requests.set(client.requests.bytes() + timing.arrived.bytes);
}

// So long all reads before writes may take in one turn of the event loop. Only those that take long
// are counted.
constexpr std::chrono::milliseconds early_reads_max{10};
constexpr std::chrono::microseconds long_reads{200};
// A client that does not take what waits for it gets larger replies of multis truncated.
constexpr std::size_t kept_reply_bytes = 16 * 1024;

// The parts of replies that may be large.
std::size_t bytes_of(const wire::GetReply& reply) { return reply.data.size(); }

std::size_t bytes_of(const wire::ChildrenReply& reply) {
  std::size_t bytes = 0;
  for (const wire::Child& child : reply.children) {
    bytes += sizeof child + (child.data ? child.data->size() : 0);
  }
  return bytes;
}

std::size_t bytes_of(const wire::EphemeralsReply& reply) {
  std::size_t bytes = 0;
  for (const std::string& path : reply.paths) bytes += sizeof path + path.size();
  return bytes;
}

std::size_t bytes_of(const auto&) { return 0; }

std::size_t bytes_of(const wire::MultiReply& reply) {
  std::size_t bytes = reply.results.size() * sizeof reply.results.front();
  for (const auto& result : reply.results) {
    if (result.has_error()) continue;
    bytes += std::visit([](const auto& one) { return bytes_of(one); }, *result);
  }
  return bytes;
}

// Null if the request asks for no turn.
std::unique_ptr<wire::TurnOptions> turn_of(const wire::Request& request) {
  const auto* create = std::get_if<wire::CreateRequest>(&request);
  if (create == nullptr || !create->turn) return nullptr;
  return std::make_unique<wire::TurnOptions>(*create->turn);
}

wire::Error too_many_reads() {
  return {wire::ErrorCode::overloaded,
          "the reads that the session sent before a write took too long, or too much memory; this "
          "one was not done, and can be sent again"};
}

}  // namespace

Replies::Replies(ClientIndex& clients, Pending& pending, Replica& replica, Environment& environment,
                 ClientSender& sender)
    : clients_(clients),
      pending_(pending),
      replica_(replica),
      environment_(environment),
      sender_(sender) {}

void Replies::reply_now(Client& client, const wire::ClientRequest& request,
                        wire::Result<wire::ReplyBody> body, Arrival arrived) {
  QueuedReply reply{{request.id, {}, request.encoding, std::move(body)}, {arrived}};
  if (reply.reply.body) reply.turn = turn_of(request.request);
  push(client, std::move(reply));
}

void Replies::refuse_malformed(Client& client, wire::BadRequest bad, Arrival arrived) {
  const bool has_no_room = bad.error.code == wire::ErrorCode::overloaded;
  if (!has_no_room) sender_.counters().malformed += 1;
  wire::Result<wire::ReplyBody> body = std::move(bad.error);
  if (has_no_room) {
    if (auto kept = kept_result(client, bad.id)) body = *std::move(kept);
  }
  push(client, {{std::move(bad.id), {}, {}, std::move(body)}, {arrived}});
}

// A write that is sent again, and was done, must not be refused as if it had not been.
std::optional<wire::Result<wire::ReplyBody>> Replies::kept_result(const Client& client,
                                                                  const wire::RequestId& id) const {
  const auto number = client.dedup ? number_of(id) : std::nullopt;
  const session::Results* results = replica_.sessions().results(client.session);
  if (!number || results == nullptr || results->find(*number) == nullptr) return std::nullopt;
  return known_outcome(results, *number, *number, sender_.keeps_no_more(client));
}

void Replies::push(Client& client, QueuedReply reply) {
  charge(client, reply.timing);
  if (!client.order.empty()) keep(client, reply);
  client.order.push_reply(std::move(reply));
  sender_.flush(client);
}

void Replies::keep(Client& client, QueuedReply& reply) {
  if (!reply.reply.body) return;
  reply.kept_bytes = static_cast<std::uint32_t>(
      std::visit([](const auto& one) { return bytes_of(one); }, *reply.reply.body));
  client.kept.set(client.kept.bytes() + reply.kept_bytes);
}

void Replies::read_local(Client& client, QueuedRead&& read) {
  charge(client, read.timing);
  client.order.push_read(std::move(read));
  sender_.flush(client);
}

std::uint64_t Replies::hold_write(Client& client, wire::ClientRequest&& request, Arrival arrived) {
  const RequestTiming timing{arrived, Effort::write};
  charge(client, timing);
  const std::uint64_t tag = pending_.add(
      {client.number, std::move(request.id), request.encoding, timing, turn_of(request.request)});
  client.order.push_write(tag);
  return tag;
}

std::uint64_t Replies::hold_read(Client& client, QueuedRead&& read) {
  charge(client, read.timing);
  const std::uint64_t tag =
      pending_.add({client.number, read.request.id, read.request.encoding, read.timing});
  client.order.push_held_read(tag, std::move(read));
  return tag;
}

void Replies::hold_read_at_least(Client& client, QueuedRead&& read, std::uint64_t ticks_max) {
  const wire::Zxid at_least = read.at_least;
  const std::uint64_t tag = hold_read(client, std::move(read));
  pending_.add_read(tag, at_least, ticks_max);
  release_caught_up_reads();
}

// Says no less than whether the multi was done: a refusal keeps its error.
wire::Result<wire::ReplyBody> Replies::without_results(const wire::MultiReply& multi) const {
  if (multi.failed) return multi.results[*multi.failed].error();
  return wire::ReplyBody{wire::TruncatedReply{replica_.applied()}};
}

// Next: ClientSender::flush (client_sender.cc).
void Replies::reply(std::uint64_t tag, wire::Result<wire::ReplyBody> body) {
  auto request = pending_.remove(tag);
  if (!request) return;
  Client* client = clients_.find(request->client);
  if (client == nullptr) return;
  const auto* multi = body ? std::get_if<wire::MultiReply>(&*body) : nullptr;
  const bool leaves_out = client->is_behind() || sender_.keeps_no_more(*client);
  if (leaves_out && multi != nullptr && bytes_of(*multi) > kept_reply_bytes) {
    body = without_results(*multi);
  }
  QueuedReply reply{{std::move(request->id), {}, request->encoding, std::move(body)},
                    request->timing};
  reply.turn = std::move(request->turn);
  if (!client->order.is_next(tag)) keep(*client, reply);
  client->order.answer(tag, std::move(reply));
  sender_.flush(*client);
}

void Replies::refuse(std::uint64_t tag, const session::Refusal& refusal) {
  const Pending::Request* request = pending_.find(tag);
  if (request == nullptr) return;
  Client* client = clients_.find(request->client);
  if (client != nullptr && client->state == Client::State::opening) {
    pending_.remove(tag);
    return refuse_connect(*client, refusal.error);
  }
  reply(tag, refusal.reply());
}

void Replies::release_read(std::uint64_t tag) {
  const auto request = pending_.remove(tag);
  if (!request) return;
  Client* client = clients_.find(request->client);
  if (client == nullptr) return;
  client->order.release(tag);
  sender_.flush(*client);
}

void Replies::release_caught_up_reads() {
  while (const auto tag = pending_.pop_read(replica_.applied())) release_read(*tag);
}

void Replies::refuse_late_reads() {
  while (const auto late = pending_.pop_late_read()) {
    reply(late->tag,
          wire::Error{wire::ErrorCode::server_behind,
                      "this server has applied " + wire::to_hex(replica_.applied()) + " only; " +
                          wire::to_hex(late->zxid) + " did not come within the session's timeout"});
  }
}

// A session's read must not see a later write of the session. The read may still wait for the
// quorum, or for the leader's refusal of an earlier write. It is performed now instead, and it is
// linearizable: this write was proposed after the read came, and the commit proves that its leader
// still led then. So every write that was acknowledged before the read came is applied here.
void Replies::read_before(const session::Origin& origin) {
  Client* client = clients_.find(origin.owner.connection);
  if (client == nullptr) return;
  std::optional<SteadyClock::time_point> begin;  // of the first one
  const auto perform = [&](const QueuedRead& queued) -> std::optional<QueuedReply> {
    if (queued.at_least > replica_.applied()) return std::nullopt;
    const SteadyClock::time_point now = environment_.now();
    if (!begin) begin = now;
    if (early_reads_ + (now - *begin) > early_reads_max || sender_.keeps_no_more(*client)) {
      return QueuedReply{{queued.request.id, {}, queued.request.encoding, too_many_reads()},
                         queued.timing};
    }
    client->stamped_replies += 1;
    if (client->lags) sender_.resume_watches(*client);
    QueuedReply reply = sender_.read(*client, queued);
    keep(*client, reply);
    return reply;
  };
  // The event of a turn must not come before the reply that leaves its watch, and `unwatch` must
  // not come before a request that sets the watch.
  const auto stays = [](const QueuedRead& queued) {
    const wire::Request& request = queued.request.request;
    return watches_turn(request) || std::holds_alternative<wire::UnwatchRequest>(request);
  };
  if (!client->order.read_before(origin.tag, stays, perform)) return;
  const SteadyClock::duration took = environment_.now() - *begin;
  if (took > long_reads) {
    early_reads_ += took;
    environment_.call_soon();
  }
  sender_.flush(*client);
}

void Replies::refuse_connect(Client& client, const wire::Error& error) {
  sender_.counters().errors[error.code] += 1;
  CloseCode code = CloseCode::normal;
  if (error.code == wire::ErrorCode::bad_arguments) code = CloseCode::policy_violation;
  if (error.code == wire::ErrorCode::too_large) code = CloseCode::too_big;
  wire::RequestId id = client.connecting ? std::move(client.connecting->id) : wire::RequestId{};
  client.connection->send(wire::ConnectRefused{error, replica_.applied(), std::move(id)});
  disconnect(client, code, std::string(wire::name(error.code)));
}

void Replies::displace(Client& client) {
  end(client);
  const wire::Error moved = ClientSender::session_moved();
  for (const std::uint64_t tag : client.order.waiting()) reply(tag, moved);
  disconnect(client, CloseCode::normal, "session moved");
}

void Replies::read(Readings& readings) const {
  readings.queues.push_back({"replies", pending_.requests()});
  readings.queues.push_back({"reads_behind", pending_.reads()});
  readings.queues.push_back({"connects_behind", pending_.session_requests()});
}

}  // namespace server
