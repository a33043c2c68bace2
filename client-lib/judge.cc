#include "client-lib/judge.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "wire/frames.h"
#include "wire/limits.h"
#include "wire/path.h"
#include "wire/utf8.h"

namespace zabkeeper {
namespace {

using wire::Error;
using wire::ErrorCode;
using Refusal = std::optional<Error>;

Error too_large(std::string what, std::size_t most) {
  return {ErrorCode::too_large,
          std::move(what) + ", more than the " + std::to_string(most) + " that any server takes"};
}

Refusal check_text(std::string_view text, const char* field) {
  if (wire::is_utf8(text)) return std::nullopt;
  return Error{ErrorCode::bad_arguments, std::string(field) + " is not UTF-8"};
}

Refusal check_path(std::string_view path) {
  const auto valid = wire::validate_path(path);
  return valid ? Refusal() : valid.error();
}

Refusal check_data(const wire::Bytes& data, std::string_view path) {
  if (data.size() <= wire::data_bytes_max) return std::nullopt;
  return too_large("data of " + std::to_string(data.size()) + " bytes for " + std::string(path),
                   wire::data_bytes_max);
}

Refusal check_acl(const wire::Acl& acl) {
  for (const wire::AclEntry& entry : acl) {
    if (auto refused = check_text(entry.scheme, "the scheme of an ACL entry")) return refused;
    if (auto refused = check_text(entry.id, "the id of an ACL entry")) return refused;
  }
  return std::nullopt;
}

// --- Each request ---

// Most have a path, and nothing else that could be wrong.
template <typename Request>
Refusal check(const Request& request) {
  if constexpr (requires { request.path; }) return check_path(request.path);
  return std::nullopt;
}

Refusal check(const wire::CreateRequest& create) {
  // The server appends ten digits. Before them a path may end in a slash.
  if (auto refused = check_path(create.path + (create.sequential ? "0000000000" : ""))) {
    return refused;
  }
  if (auto refused = check_data(create.data, create.path)) return refused;
  return create.acl ? check_acl(*create.acl) : std::nullopt;
}

Refusal check(const wire::SetRequest& set) {
  if (auto refused = check_path(set.path)) return refused;
  return check_data(set.data, set.path);
}

Refusal check(const wire::SetAclRequest& set) {
  if (auto refused = check_path(set.path)) return refused;
  return check_acl(set.acl);
}

Refusal check(const wire::ChildrenRequest& children) {
  if (auto refused = check_path(children.path)) return refused;
  return children.after ? check_text(*children.after, "after") : std::nullopt;
}

Refusal check(const wire::EphemeralsRequest& ephemerals) {
  return check_text(ephemerals.prefix, "the prefix");
}

Refusal check(const wire::AuthRequest& auth) {
  if (auto refused = check_text(auth.scheme, "the scheme of an identity")) return refused;
  return check_text(auth.token, "the token of an identity");
}

Refusal check(const wire::ConnectRequest&) {
  return Error{ErrorCode::bad_arguments, "the client connects by itself"};
}

// As a whole: its operations are judged one by one.
Refusal check(const wire::MultiRequest& multi) {
  if (multi.ops.size() > wire::frame_requests_max) {
    return too_large("a multi of " + std::to_string(multi.ops.size()) + " operations",
                     wire::frame_requests_max);
  }
  std::size_t bytes = 0;
  for (const wire::MultiOp& op : multi.ops) {
    bytes += std::visit(
        [](const auto& each) {
          if constexpr (requires { each.data; }) return each.path.size() + each.data.size();
          return each.path.size();
        },
        op);
  }
  if (bytes <= wire::transaction_bytes_max) return std::nullopt;
  return too_large("a multi of " + std::to_string(bytes) + " bytes", wire::transaction_bytes_max);
}

// As a server refuses a multi: an error for each operation.
wire::MultiReply refuse_all(std::size_t count, std::size_t failed, const Error& error) {
  const Error other{ErrorCode::runtime_inconsistency,
                    "not attempted: operation " + std::to_string(failed) + " of the multi failed"};
  wire::MultiReply reply;
  for (std::size_t i = 0; i < count; ++i) reply.results.emplace_back(i == failed ? error : other);
  reply.failed = failed;
  return reply;
}

}  // namespace

std::optional<wire::Result<wire::ReplyBody>> refusal_of(const wire::Request& request) {
  if (auto refused = std::visit([](const auto& each) { return check(each); }, request)) {
    return *std::move(refused);
  }
  const auto* multi = std::get_if<wire::MultiRequest>(&request);
  if (!multi) return std::nullopt;
  for (std::size_t i = 0; i < multi->ops.size(); ++i) {
    if (auto refused = std::visit([](const auto& each) { return check(each); }, multi->ops[i])) {
      return wire::ReplyBody(refuse_all(multi->ops.size(), i, *refused));
    }
  }
  return std::nullopt;
}

std::optional<Error> refusal_of(const wire::ConnectRequest& connect) {
  constexpr std::size_t connect_bytes_max = 256 * 1024;
  std::size_t bytes = 1024;  // of all other fields
  for (const wire::AuthRequest& auth : connect.auth) {
    if (auto refused = check(auth)) return refused;
    bytes += 64 + auth.scheme.size() + auth.token.size();
  }
  if (bytes <= connect_bytes_max) return std::nullopt;
  return too_large("identities of " + std::to_string(bytes) + " bytes", connect_bytes_max);
}

}  // namespace zabkeeper
