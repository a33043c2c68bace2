#pragma once

#include <variant>

#include "client-lib/recipes/recipe_actions.h"
#include "wire/error.h"
#include "wire/replies.h"
#include "wire/result.h"

// What a recipe learns from the result of a request.
namespace zabkeeper {

[[nodiscard]] inline bool is_error(const wire::Result<wire::ReplyBody>& result,
                                   wire::ErrorCode code) {
  return result.has_error() && result.error().code == code;
}

// The reply of this type; null for any other reply, and for an error.
template <typename Reply>
[[nodiscard]] const Reply* reply_of(const wire::Result<wire::ReplyBody>& result) {
  return result ? std::get_if<Reply>(&*result) : nullptr;
}

// Whether the request may have been carried out or not. A receipt of a create has no path.
[[nodiscard]] inline bool is_unknown(const wire::Result<wire::ReplyBody>& result) {
  if (result) return std::holds_alternative<wire::TruncatedReply>(*result);
  switch (result.error().code) {
    case wire::ErrorCode::connection_loss:
    case wire::ErrorCode::operation_timeout:
    case wire::ErrorCode::session_moved:
    case wire::ErrorCode::session_expired: return true;
    default: return false;
  }
}

// Whether the same request may succeed later.
[[nodiscard]] inline bool is_temporary(wire::ErrorCode code) {
  switch (code) {
    case wire::ErrorCode::overloaded:
    case wire::ErrorCode::throttled:
    case wire::ErrorCode::not_ready:
    case wire::ErrorCode::not_read_only:
    case wire::ErrorCode::server_behind: return true;
    default: return false;
  }
}

// Whether the request was refused, and may succeed later: then the caller pauses.
template <typename Actions>
[[nodiscard]] bool pause_if_temporary(const wire::Result<wire::ReplyBody>& result,
                                      Actions& actions) {
  if (result || !is_temporary(result.error().code)) return false;
  actions.emplace_back(Pause{});
  return true;
}

[[nodiscard]] inline wire::Error error_of(const wire::Result<wire::ReplyBody>& result) {
  if (result.has_error()) return result.error();
  return {wire::ErrorCode::system_error, "the reply belongs to another request"};
}

// The same of a multi, which fails because of one of its operations.
[[nodiscard]] inline wire::Error error_of_multi(const wire::Result<wire::ReplyBody>& result) {
  const auto* multi = reply_of<wire::MultiReply>(result);
  if (multi == nullptr || !multi->failed) return error_of(result);
  return multi->results[*multi->failed].error();
}

}  // namespace zabkeeper
