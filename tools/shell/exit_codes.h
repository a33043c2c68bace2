#pragma once

#include <string>

#include "wire/error.h"

namespace shell {

inline constexpr int exit_ok = 0;
inline constexpr int exit_other = 1;
// The results of `grep` and `diff`.
inline constexpr int exit_no_match = 1;
inline constexpr int exit_differs = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_no_node = 3;
inline constexpr int exit_node_exists = 4;
inline constexpr int exit_bad_version = 5;
inline constexpr int exit_not_empty = 6;
inline constexpr int exit_no_auth = 7;
inline constexpr int exit_no_server = 8;
inline constexpr int exit_unknown_outcome = 9;
inline constexpr int exit_output = 11;  // 10 is kept for a change that would lose the quorum
// The same as of the program `timeout`. 126 and 127 are in child.h.
inline constexpr int exit_timeout = 124;
inline constexpr int exit_lost = 125;  // a lock, while a program ran under it
// The codes of other shells for a program that SIGINT or SIGPIPE has ended.
inline constexpr int exit_interrupted = 130;
inline constexpr int exit_closed_pipe = 141;

enum class Effect { read, write };

// After a lost connection it is unknown whether a write was applied. A read can be repeated.
[[nodiscard]] int exit_code(wire::ErrorCode code, Effect effect);
[[nodiscard]] std::string exit_codes_help();

// The error as text for people, e.g. "/a/b: no such node (NoNode)".
[[nodiscard]] std::string error_text(const wire::Error& error, const std::string& path);

}  // namespace shell
