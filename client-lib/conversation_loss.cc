#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "client-lib/conversation.h"
#include "client-lib/requests.h"

// What becomes of the requests that were outstanding when a socket was lost.
namespace zabkeeper {

using wire::ErrorCode;

namespace {

std::string subject_of(const wire::Request& request) {
  return std::visit(
      [](const auto& each) -> std::string {
        if constexpr (requires { each.path; }) {
          return each.path;
        } else {
          return "the multi";
        }
      },
      request);
}

// A frame of these has a fixed form, so no server blames it.
bool can_be_blamed(const wire::Request& request) {
  return !std::holds_alternative<wire::PingRequest>(request) &&
         !std::holds_alternative<wire::CloseRequest>(request);
}

}  // namespace

Actions Conversation::socket_lost(SocketLoss loss) {
  Actions actions;
  if (phase_ != Phase::ended) phase_ = Phase::offline;

  settle_blamed(loss, actions);
  std::erase_if(pending_, [](const Pending& pending) { return pending.internal; });
  bool closing = false;
  bool first = true;  // Replies come in order, so a reply that was not read is that of the first.
  for (Pending& pending : pending_) {
    if (!pending.outstanding()) continue;
    if (std::holds_alternative<wire::CloseRequest>(pending.request.request)) closing = true;
    ++pending.losses;
    if (pending.losses > 1) pending.alone = true;
    if (std::exchange(first, false) && loss.reply_too_large && !is_write(pending.request.request)) {
      refuse(pending, {ErrorCode::too_large, "the reply is larger than this client reads"},
             actions);
    } else {
      pending.result = result_after_loss(pending, loss);
    }
    pending.sent = pending.result.has_value();
    if (pending.result) watches_.remove_unaccepted(pending.ticket);
  }
  outstanding_ = 0;
  alone_outstanding_ = held_ = false;
  watches_.socket_lost();
  if (closing) {
    phase_ = Phase::ended;
    deadline_.reset();
    finish_all(
        {ErrorCode::connection_loss, "the connection was lost while the session was closing"});
  }
  complete_finished(actions);
  if (std::exchange(announced_, false)) {
    const auto kind = closing ? SessionEvent::Kind::closed : SessionEvent::Kind::disconnected;
    actions.push_back(session_end(kind, session_, std::move(loss.reason)));
  }
  if (std::exchange(provisional_, false)) {
    session_ = {};
    password_.clear();
    deadline_.reset();
  }
  return actions;
}

// Decides about the requests whose outcome a close that blames a frame proves.
void Conversation::settle_blamed(const SocketLoss& loss, Actions& actions) {
  std::vector<Pending*> candidates;
  std::vector<std::size_t> frame_bytes;
  for (Pending& pending : pending_) {
    if (!pending.outstanding() || !can_be_blamed(pending.request.request)) continue;
    candidates.push_back(&pending);
    frame_bytes.push_back(pending.frame_bytes);
  }
  const std::optional<Blame> blame = blame_of(loss, last_error_, frame_bytes);
  if (!blame) return;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    Pending& pending = *candidates[i];
    if (i == blame->refused) {
      refuse(pending, blame->error, actions);
      continue;
    }
    if (blame->ambiguous) pending.alone = true;
    if (i >= blame->not_done_from) pending.sent = false;
  }
}

// Whether a server may have carried out the write, although no reply has come.
bool Conversation::may_be_applied(const Pending& pending) {
  return is_write(pending.request.request) && (pending.sent || pending.losses > 0);
}

wire::Error Conversation::unknown_outcome(const Pending& pending, const std::string& reason) {
  return {ErrorCode::connection_loss,
          reason + ": " + subject_of(pending.request.request) + " may or may not be changed"};
}

// The result of a request that was sent over a socket that was lost; none: it is sent again.
std::optional<wire::Result<wire::ReplyBody>> Conversation::result_after_loss(
    const Pending& pending, const SocketLoss& loss) {
  const wire::Request& request = pending.request.request;
  const auto* unwatch = std::get_if<wire::UnwatchRequest>(&request);
  if (unwatch && !find(ticket_of(unwatch->watch))) return wire::EmptyReply{};
  if (is_write(request)) {
    if (options_.dedup) return std::nullopt;
    return unknown_outcome(pending,
                           "the connection was lost before the reply came (" + loss.reason + ')');
  }
  if (pending.losses < losses_max) return std::nullopt;
  return wire::Error{ErrorCode::connection_loss,
                     "the connection was lost " + std::to_string(pending.losses) +
                         " times before the reply came (at last: " + loss.reason + ')'};
}

}  // namespace zabkeeper
