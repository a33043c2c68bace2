#include "server/pipeline/admission.h"

#include <charconv>
#include <string>
#include <type_traits>
#include <utility>

#include "session/session_table.h"
#include "znode/operations.h"
#include "znode/path.h"

// Next: Ordering::submit (ordering.cc) gets the command of a write. Intake::begin (intake.cc)
// carries out every admission.
namespace server {
namespace {

// A result of more bytes than this is large.
constexpr std::size_t large_outcome_bytes = 16 * 1024;

wire::Error bad_arguments(std::string message) {
  return {wire::ErrorCode::bad_arguments, std::move(message)};
}

wire::Error too_large(std::string what, const char* limit, std::size_t max) {
  return {wire::ErrorCode::too_large,
          std::move(what) + ", more than " + limit + '=' + std::to_string(max)};
}

wire::Error not_read_only() {
  return {wire::ErrorCode::not_read_only,
          "this server has no quorum: it answers only reads, from the state that it has"};
}

// The consistency that a read asks for. SessionConsistency for a request that cannot name one.
wire::Consistency consistency_of(const wire::Request& request) {
  return std::visit(
      [](const auto& r) -> wire::Consistency {
        if constexpr (requires { r.read.consistency; }) return r.read.consistency;
        if constexpr (std::is_same_v<std::decay_t<decltype(r)>, wire::SyncRequest>) {
          return wire::Linearizable{};
        }
        // So no watch stays that reports nothing for long. A turn watch reports the present turn,
        // no past ones: `from` only delays the reply.
        if constexpr (std::is_same_v<std::decay_t<decltype(r)>, wire::WatchRequest>) {
          if (r.from) return wire::AtLeast{*r.from};
        }
        return wire::SessionConsistency{};
      },
      request);
}

// The data of a create or a set, also within a multi.
template <typename Request>
std::optional<wire::Error> check_data(const Request& request, const AdmissionLimits& limits) {
  if constexpr (requires { request.data; }) {
    if (request.data.size() <= limits.data_bytes_max) return std::nullopt;
    // With a bad path, the leader refuses the request because of the path.
    if (!znode::validate(request.path)) return std::nullopt;
    return too_large(
        "data of " + std::to_string(request.data.size()) + " bytes for " + request.path,
        "maxDataBytes", limits.data_bytes_max);
  }
  return std::nullopt;
}

// The leader judges both branches of a multi, and its conditions, so all of them count.
std::optional<wire::Error> check_limits(const wire::ClientRequest& request,
                                        const AdmissionLimits& limits) {
  const auto check = [&](const auto& each) { return check_data(each, limits); };
  const auto* multi = std::get_if<wire::MultiRequest>(&request.request);
  if (multi == nullptr) return std::visit(check, request.request);
  const std::size_t size = wire::operations_of(*multi) + request.conditions.size();
  if (size > limits.multi_ops_max) {
    const char* what = request.conditions.empty() ? " operations" : " operations and conditions";
    return too_large("a multi of " + std::to_string(size) + what, "maxMultiOps",
                     limits.multi_ops_max);
  }
  const auto check_all = [&](const std::vector<wire::MultiOp>& ops) -> std::optional<wire::Error> {
    for (const wire::MultiOp& op : ops) {
      if (auto error = std::visit(check, op)) return error;
    }
    return std::nullopt;
  };
  if (auto error = check_all(multi->ops)) return error;
  return multi->otherwise ? check_all(*multi->otherwise) : std::nullopt;
}

Admission admit_read(const wire::Request& request) {
  const wire::Consistency consistency = consistency_of(request);
  if (std::holds_alternative<wire::Linearizable>(consistency)) return QuorumRead{};
  if (const auto* at_least = std::get_if<wire::AtLeast>(&consistency)) {
    return ReadAtLeast{at_least->zxid};
  }
  return LocalRead{};
}

// For a session that was opened without a quorum. None if the usual rules apply to the request.
std::optional<Admission> admit_read_only(const wire::ClientRequest& client_request,
                                         const session::CommandBody* body,
                                         wire::SessionId session) {
  const wire::Request& request = client_request.request;
  if (body != nullptr && session::is_local(session) &&
      std::holds_alternative<session::CloseSession>(*body)) {
    return ReplyNow{wire::ReplyBody{wire::ClosedReply{}}};
  }
  const auto* multi = std::get_if<wire::MultiRequest>(&request);
  const bool has_conditions = !client_request.conditions.empty();
  if (multi != nullptr && !has_conditions && znode::only_reads(*multi)) return LocalRead{};
  const bool is_linearizable = std::holds_alternative<wire::Linearizable>(consistency_of(request));
  if (body != nullptr || is_linearizable || watches_turn(request)) {
    return ReplyNow{not_read_only()};
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> number_of(const wire::RequestId& id) {
  std::int64_t number = 0;
  const char* end = id.json.data() + id.json.size();
  const auto [stopped, error] = std::from_chars(id.json.data(), end, number);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return number;
}

bool watches_turn(const wire::Request& request) {
  const auto* watch = std::get_if<wire::WatchRequest>(&request);
  return watch != nullptr && watch->scope == wire::WatchScope::turn;
}

Admission admit(const wire::ClientRequest& request, const Requester& requester,
                const AdmissionLimits& limits) {
  if (std::holds_alternative<wire::ConnectRequest>(request.request)) {
    return ReplyNow{bad_arguments("connect must be the first request of a connection")};
  }
  if (auto error = check_limits(request, limits)) return ReplyNow{*std::move(error)};
  if (std::holds_alternative<wire::AuthRequest>(request.request)) return Authenticate{};

  std::optional<session::CommandBody> body = session::command_body_of(request.request);
  const bool is_write = body && !std::holds_alternative<session::CloseSession>(*body);
  std::optional<std::int64_t> number;
  if (requester.dedup) {
    number = number_of(request.id);
    if (!number && (is_write || !request.id.none())) {
      return ReplyNow{bad_arguments("id: must be an integer, because this session has dedup")};
    }
    if (!is_write) number.reset();
  }
  if (requester.read_only) {
    auto admitted = admit_read_only(request, body ? &*body : nullptr, requester.session);
    if (admitted) return *std::move(admitted);
  }
  if (!body) return admit_read(request.request);
  if (number && requester.last_number && *number <= *requester.last_number) {
    return RepeatedWrite{*number};
  }
  return Write{*std::move(body), number, request.conditions};
}

wire::Result<wire::ReplyBody> known_outcome(const session::Results* results, std::int64_t number,
                                            std::int64_t last_number, bool receipt_only) {
  const wire::Bytes* outcome = results == nullptr ? nullptr : results->find(number);
  if (outcome != nullptr && receipt_only && outcome->size() > large_outcome_bytes) {
    if (const auto receipt = session::receipt_of(*outcome))
      return session::decode_outcome(*receipt);
  }
  if (outcome != nullptr) return session::decode_outcome(*outcome);
  return bad_arguments(
      "id: " + std::to_string(number) + " is not above " + std::to_string(last_number) +
      ", the id of the last write, and no result of write " + std::to_string(number) + " is kept");
}

}  // namespace server
