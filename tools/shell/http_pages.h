#pragma once

#include <chrono>
#include <cstddef>
#include <future>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "client-lib/hosts.h"
#include "wire/requests.h"
#include "wire/result.h"

// Requests to servers over plain HTTP, and their replies.
namespace shell {

inline constexpr const char* nothing = "-";
inline constexpr const char* not_zabkeeper = "HTTP 200, but not the page of a Zabkeeper server";

// The status of a server, or the problem: no reply, an error, or a page that has another form.
[[nodiscard]] wire::Result<nlohmann::json> status_of(const zabkeeper::Endpoint& server);
// The metrics of a server in Prometheus' text format, or the problem.
[[nodiscard]] wire::Result<std::string> metrics_of(const zabkeeper::Endpoint& server);

// The server's own reason why it does not serve. Empty if it serves, or gives no reason.
[[nodiscard]] std::string why_not_ready(const zabkeeper::Endpoint& server);

// Asks all servers at the same time. The results have the order of the servers.
template <typename Ask>
[[nodiscard]] auto ask_all(const std::vector<zabkeeper::Endpoint>& servers, const Ask& ask) {
  using Reply = std::invoke_result_t<Ask, const zabkeeper::Endpoint&>;
  std::vector<std::future<Reply>> asked;
  asked.reserve(servers.size());
  for (const zabkeeper::Endpoint& server : servers) {
    asked.push_back(std::async(std::launch::async, [&] { return ask(server); }));
  }
  std::vector<Reply> replies;
  replies.reserve(asked.size());
  for (auto& each : asked) replies.push_back(each.get());
  return replies;
}

// The reply to a command of an operator: its result, or an object with `error` and `message`.
struct CommandReply {
  nlohmann::json object;
  bool is_done = false;
  unsigned status = 0;  // of HTTP
};
// Gives a server a command: POST /admin/... . A result must have the fields `numbers`, which are
// numbers. An error means that there was no reply.
[[nodiscard]] wire::Result<CommandReply> give_command(
    const zabkeeper::Endpoint& server, const std::string& target,
    const std::vector<wire::AuthRequest>& auth, const std::vector<const char*>& numbers,
    std::chrono::milliseconds timeout = std::chrono::milliseconds(15'000));
// The same, but a refused command is an error too: NoAuth or SystemError.
[[nodiscard]] wire::Result<nlohmann::json> result_of_command(
    const zabkeeper::Endpoint& server, const std::string& target,
    const std::vector<wire::AuthRequest>& auth, const std::vector<const char*>& numbers,
    std::chrono::milliseconds timeout = std::chrono::milliseconds(15'000));

// A field of an object as text for people; "-" if there is none.
[[nodiscard]] std::string json_text(const nlohmann::json& object, const char* field);
// Whether a field is true; `fallback` if it is no boolean.
[[nodiscard]] bool json_flag(const nlohmann::json& object, const char* field, bool fallback);
[[nodiscard]] bool has_numbers(const nlohmann::json& object,
                               const std::vector<const char*>& fields);

}  // namespace shell
