#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/records.h"

namespace wire {

// Why a client's request failed. Names and numbers are ZooKeeper's; errors of our own have no
// number on the wire.
enum class ErrorCode : int {
  system_error = -1,
  runtime_inconsistency = -2,
  connection_loss = -4,
  marshalling_error = -5,
  unimplemented = -6,
  operation_timeout = -7,
  bad_arguments = -8,
  new_config_no_quorum = -13,
  reconfig_in_progress = -14,
  no_node = -101,
  no_auth = -102,
  bad_version = -103,
  no_children_for_ephemerals = -108,
  node_exists = -110,
  not_empty = -111,
  session_expired = -112,
  invalid_acl = -114,
  auth_failed = -115,
  session_moved = -118,
  not_read_only = -119,
  no_watcher = -121,
  reconfig_disabled = -123,
  quota_exceeded = -125,
  throttled = -127,
  // Ours: no number on the wire.
  server_behind = -1001,
  not_ready = -1002,
  too_many_connections = -1003,
  too_many_watches = -1004,
  too_large = -1005,
  overloaded = -1006,  // a budget is used up: nothing was done
  too_many_sessions = -1007,
  condition_failed = -1008,  // a condition of a write did not hold: nothing was done
  cancelled = -1009,         // of a client: the caller did not wait for the reply
};

// "NoNode", "BadVersion", ...
[[nodiscard]] std::string_view name(ErrorCode code);
[[nodiscard]] std::optional<ErrorCode> error_code_named(std::string_view name);
// Whether `number` is one of the codes above.
[[nodiscard]] bool is_error_code(int number);
// ZooKeeper's number; nothing for our own codes.
[[nodiscard]] std::optional<int> number(ErrorCode code);

// The state of a node whose tests did not hold.
struct Found {
  bool exists = false;
  std::int32_t version = any_version;  // and no owner, if it does not exist
  SessionId ephemeral_owner;

  bool operator==(const Found&) const = default;
};

// With ConditionFailed: why.
struct Unmet {
  std::optional<std::uint32_t> condition;  // its place in the list; none for a check in a multi
  Found found;

  bool operator==(const Unmet&) const = default;
};

struct Error {
  ErrorCode code = ErrorCode::system_error;
  std::string message;  // says what is wrong with which path or field, for people
  std::optional<Unmet> unmet = {};

  bool operator==(const Error&) const = default;
};

}  // namespace wire
