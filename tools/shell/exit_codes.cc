#include "tools/shell/exit_codes.h"

namespace shell {

using wire::ErrorCode;

int exit_code(ErrorCode code, Effect effect) {
  switch (code) {
    case ErrorCode::bad_arguments: return exit_usage;
    case ErrorCode::no_node: return exit_no_node;
    case ErrorCode::node_exists: return exit_node_exists;
    case ErrorCode::bad_version: return exit_bad_version;
    case ErrorCode::not_empty: return exit_not_empty;
    case ErrorCode::no_auth:
    case ErrorCode::auth_failed:
    case ErrorCode::invalid_acl: return exit_no_auth;
    case ErrorCode::connection_loss:
    case ErrorCode::operation_timeout:
      return effect == Effect::write ? exit_unknown_outcome : exit_no_server;
    case ErrorCode::not_ready:
    case ErrorCode::server_behind:
    case ErrorCode::session_expired:
    case ErrorCode::session_moved:
    case ErrorCode::too_many_connections: return exit_no_server;
    default: return exit_other;
  }
}

std::string exit_codes_help() {
  return "  0 success   1 another error; grep: nothing matches; diff: they differ\n"
         "  2 wrong usage   3 NoNode   4 NodeExists   5 BadVersion\n"
         "  6 NotEmpty   7 NoAuth, AuthFailed or InvalidAcl   8 no server available, or the "
         "session "
         "has ended\n"
         "  9 the session or the time ended, and a write may or may not have been applied\n"
         "  11 the output could not be written; a change was made nevertheless\n"
         "  124 the time of --timeout has passed   125 the lock was lost while CMD ran\n"
         "  126 CMD cannot be executed   127 CMD was not found\n"
         "  130 interrupted   141 the reader of the output has gone (as with `| head`)\n";
}

std::string error_text(const wire::Error& error, const std::string& path) {
  const std::string name = " (" + std::string(wire::name(error.code)) + ')';
  const auto about = [&](const char* phrase) {
    return (path.empty() ? std::string() : path + ": ") + phrase + name;
  };
  switch (error.code) {
    case ErrorCode::no_node: return about("no such node");
    case ErrorCode::node_exists: return about("already exists");
    case ErrorCode::bad_version: return about("has another version");
    case ErrorCode::not_empty: return about("has children; -r deletes them too");
    case ErrorCode::no_auth: return about("not allowed");
    case ErrorCode::no_children_for_ephemerals: return about("its parent is ephemeral");
    default: return error.message + name;
  }
}

}  // namespace shell
