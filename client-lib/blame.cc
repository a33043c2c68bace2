#include "client-lib/blame.h"

#include <algorithm>

#include "wire/close_reasons.h"

namespace zabkeeper {
namespace {

using wire::ErrorCode;

constexpr std::uint16_t invalid_text = 1007;
constexpr std::uint16_t policy_violation = 1008;
constexpr std::uint16_t too_big = 1009;

bool blames_a_frame(const SocketLoss& loss) {
  if (loss.close_status == invalid_text || loss.close_status == too_big) return true;
  // A client that receives too slowly gets 1008 too. No frame is the cause of that.
  return loss.close_status == policy_violation &&
         loss.reason.find(wire::close_reason::too_slow) == std::string::npos;
}

// Whether the cause is a request that the server has answered with an error before the close.
bool is_answered(const SocketLoss& loss, std::optional<ErrorCode> last_error) {
  const auto closed_for = [&](std::uint16_t status, ErrorCode error, std::string_view reason) {
    return loss.close_status == status && last_error == error &&
           loss.reason.find(reason) != std::string::npos;
  };
  return closed_for(too_big, ErrorCode::too_large, wire::close_reason::too_large) ||
         closed_for(policy_violation, ErrorCode::bad_arguments, wire::close_reason::too_deep) ||
         closed_for(policy_violation, ErrorCode::auth_failed, wire::name(ErrorCode::auth_failed));
}

}  // namespace

std::optional<Blame> blame_of(const SocketLoss& loss, std::optional<ErrorCode> last_error,
                              const std::vector<std::size_t>& frame_bytes) {
  if (frame_bytes.empty() || !blames_a_frame(loss)) return std::nullopt;
  Blame blame;
  if (is_answered(loss, last_error)) return blame;
  blame.error = {loss.close_status == too_big ? ErrorCode::too_large : ErrorCode::bad_arguments,
                 "the server closed the connection because of this request (" + loss.reason +
                     ", status " + std::to_string(loss.close_status) + "); nothing was done"};
  if (frame_bytes.size() == 1) {
    blame.refused = 0;
    blame.not_done_from = 1;
  } else if (loss.close_status == too_big) {
    // If any frame is too large, the largest is. The cause is that one, or one before it.
    const auto largest = std::ranges::max_element(frame_bytes);
    blame.refused = static_cast<std::size_t>(largest - frame_bytes.begin());
    blame.not_done_from = *blame.refused + 1;
  } else {
    blame.not_done_from = frame_bytes.size() - 1;
    blame.ambiguous = true;
  }
  return blame;
}

}  // namespace zabkeeper
