#include "wire/error.h"

#include <algorithm>
#include <array>

namespace wire {
namespace {

struct Row {
  ErrorCode code;
  std::string_view name;
};

constexpr std::array rows{
    Row{ErrorCode::system_error, "SystemError"},
    Row{ErrorCode::runtime_inconsistency, "RuntimeInconsistency"},
    Row{ErrorCode::connection_loss, "ConnectionLoss"},
    Row{ErrorCode::marshalling_error, "MarshallingError"},
    Row{ErrorCode::unimplemented, "Unimplemented"},
    Row{ErrorCode::operation_timeout, "OperationTimeout"},
    Row{ErrorCode::bad_arguments, "BadArguments"},
    Row{ErrorCode::new_config_no_quorum, "NewConfigNoQuorum"},
    Row{ErrorCode::reconfig_in_progress, "ReconfigInProgress"},
    Row{ErrorCode::no_node, "NoNode"},
    Row{ErrorCode::no_auth, "NoAuth"},
    Row{ErrorCode::bad_version, "BadVersion"},
    Row{ErrorCode::no_children_for_ephemerals, "NoChildrenForEphemerals"},
    Row{ErrorCode::node_exists, "NodeExists"},
    Row{ErrorCode::not_empty, "NotEmpty"},
    Row{ErrorCode::session_expired, "SessionExpired"},
    Row{ErrorCode::invalid_acl, "InvalidAcl"},
    Row{ErrorCode::auth_failed, "AuthFailed"},
    Row{ErrorCode::session_moved, "SessionMoved"},
    Row{ErrorCode::not_read_only, "NotReadOnly"},
    Row{ErrorCode::no_watcher, "NoWatcher"},
    Row{ErrorCode::reconfig_disabled, "ReconfigDisabled"},
    Row{ErrorCode::quota_exceeded, "QuotaExceeded"},
    Row{ErrorCode::throttled, "Throttled"},
    Row{ErrorCode::server_behind, "ServerBehind"},
    Row{ErrorCode::not_ready, "NotReady"},
    Row{ErrorCode::too_many_connections, "TooManyConnections"},
    Row{ErrorCode::too_many_watches, "TooManyWatches"},
    Row{ErrorCode::too_large, "TooLarge"},
    Row{ErrorCode::overloaded, "Overloaded"},
    Row{ErrorCode::too_many_sessions, "TooManySessions"},
    Row{ErrorCode::condition_failed, "ConditionFailed"},
    Row{ErrorCode::cancelled, "Cancelled"},
};

}  // namespace

std::string_view name(ErrorCode code) {
  const auto row = std::ranges::find(rows, code, &Row::code);
  return row == rows.end() ? "SystemError" : row->name;
}

std::optional<ErrorCode> error_code_named(std::string_view name) {
  const auto row = std::ranges::find(rows, name, &Row::name);
  if (row == rows.end()) return std::nullopt;
  return row->code;
}

bool is_error_code(int number) {
  return std::ranges::find(rows, static_cast<ErrorCode>(number), &Row::code) != rows.end();
}

std::optional<int> number(ErrorCode code) {
  if (static_cast<int>(code) <= -1001) return std::nullopt;
  return static_cast<int>(code);
}

}  // namespace wire
