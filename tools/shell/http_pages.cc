#include "tools/shell/http_pages.h"

#include <algorithm>
#include <utility>

#include "client-lib/http.h"
#include "wire/replies.h"

namespace shell {
namespace {

using std::chrono::milliseconds;
using zabkeeper::Endpoint;

// For example "HTTP 421: unknown Host header: x". The text of another program's page is cut.
std::string error_of(const zabkeeper::HttpReply& reply) {
  constexpr std::size_t words_max = 100;
  const std::string message =
      json_text(nlohmann::json::parse(reply.body, nullptr, false), "message");
  const std::string words = message != nothing ? message : reply.body.substr(0, words_max);
  const std::string line = words.substr(0, words.find_first_of("\r\n"));
  return "HTTP " + std::to_string(reply.status) + (line.empty() ? "" : ": " + line);
}

bool is_status(const nlohmann::json& page) {
  return has_numbers(page, {"id", "epoch"}) && page.contains("role") &&
         std::ranges::find(wire::names_of<wire::Role>, json_text(page, "role")) !=
             wire::names_of<wire::Role>.end();
}

wire::Result<std::string> body_of(const Endpoint& server, const std::string& target) {
  auto reply = zabkeeper::http_get(server, target, milliseconds(2'000));
  if (reply.has_error()) return reply.error();
  if (reply->status != 200) return wire::Error{wire::ErrorCode::system_error, error_of(*reply)};
  return std::move(reply->body);
}

nlohmann::json error_object(const std::string& message) {
  return {{"error", "SystemError"}, {"message", message}};
}

}  // namespace

std::string json_text(const nlohmann::json& object, const char* field) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  if (!object.is_object() || found == object.end() || found->is_null()) return nothing;
  if (found->is_object() && found->contains("least") && found->contains("greatest")) {
    return json_text(*found, "least") + " to " + json_text(*found, "greatest");
  }
  if (found->is_string()) return found->get<std::string>();
  return found->dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool json_flag(const nlohmann::json& object, const char* field, bool fallback) {
  const auto found = object.is_object() ? object.find(field) : object.end();
  if (!object.is_object() || found == object.end() || !found->is_boolean()) return fallback;
  return found->get<bool>();
}

bool has_numbers(const nlohmann::json& object, const std::vector<const char*>& fields) {
  return object.is_object() && std::ranges::all_of(fields, [&](const char* field) {
           const auto found = object.find(field);
           return found != object.end() && found->is_number_unsigned();
         });
}

wire::Result<nlohmann::json> status_of(const Endpoint& server) {
  const auto body = body_of(server, "/status");
  if (body.has_error()) return body.error();
  auto status = nlohmann::json::parse(*body, nullptr, false);
  if (!is_status(status)) return wire::Error{wire::ErrorCode::system_error, not_zabkeeper};
  return {boost::system::in_place_value, std::move(status)};
}

wire::Result<std::string> metrics_of(const Endpoint& server) {
  auto body = body_of(server, "/metrics");
  if (body.has_value() && body->find("# TYPE zabkeeper_") == std::string::npos) {
    return wire::Error{wire::ErrorCode::system_error, not_zabkeeper};
  }
  return body;
}

std::string why_not_ready(const Endpoint& server) {
  const auto reply = zabkeeper::http_get(server, "/health/ready", milliseconds(2'000));
  if (reply.has_error() || reply->status == 200) return {};
  const std::string reason =
      json_text(nlohmann::json::parse(reply->body, nullptr, false), "reason");
  return reason == nothing ? "" : reason;
}

wire::Result<CommandReply> give_command(const Endpoint& server, const std::string& target,
                                        const std::vector<wire::AuthRequest>& auth,
                                        const std::vector<const char*>& numbers,
                                        milliseconds timeout) {
  std::string authorization;
  for (const wire::AuthRequest& each : auth) {
    if (each.scheme == "digest") authorization = "digest " + each.token;
  }
  const auto reply = zabkeeper::http_post(server, target, authorization, timeout);
  if (reply.has_error()) return reply.error();
  CommandReply outcome{nlohmann::json::parse(reply->body, nullptr, false), false, reply->status};
  outcome.is_done = reply->status == 200 && has_numbers(outcome.object, numbers);
  if (reply->status == 200 && !outcome.is_done) {
    outcome.object = error_object(not_zabkeeper);
  } else if (reply->status != 200 && json_text(outcome.object, "message") == nothing) {
    outcome.object = error_object(error_of(*reply));
  }
  return outcome;
}

wire::Result<nlohmann::json> result_of_command(const Endpoint& server, const std::string& target,
                                               const std::vector<wire::AuthRequest>& auth,
                                               const std::vector<const char*>& numbers,
                                               milliseconds timeout) {
  auto reply = give_command(server, target, auth, numbers, timeout);
  if (reply.has_error()) return reply.error();
  if (reply->is_done) return {boost::system::in_place_value, std::move(reply->object)};
  return wire::Error{
      reply->status == 403 ? wire::ErrorCode::no_auth : wire::ErrorCode::system_error,
      json_text(reply->object, "message")};
}

}  // namespace shell
