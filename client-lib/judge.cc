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

using wire::ErrorCode;
using Refusal = std::optional<wire::Error>;

wire::Error too_large(std::string what, std::size_t most) {
  return {ErrorCode::too_large,
          std::move(what) + ", more than the " + std::to_string(most) + " that any server takes"};
}

Refusal check_text(std::string_view text, const char* field) {
  if (wire::is_utf8(text)) return std::nullopt;
  return wire::Error{ErrorCode::bad_arguments, std::string(field) + " is not UTF-8"};
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
  if (children.before) {
    if (auto refused = check_text(*children.before, "before")) return refused;
  }
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
  return wire::Error{ErrorCode::bad_arguments, "the client connects by itself"};
}

// The bytes of texts and data that an operation holds.
std::size_t bytes_of(const wire::MultiOp& op) {
  return std::visit(
      [](const auto& each) {
        std::size_t bytes = each.path.size();
        if constexpr (requires { each.data.size(); }) bytes += each.data.size();
        if constexpr (requires { each.tests; }) bytes += each.tests.data.value_or("").size();
        return bytes;
      },
      op);
}

// One branch, as a whole: its operations are judged one by one.
Refusal check_size(const std::vector<wire::MultiOp>& ops) {
  if (ops.size() > wire::frame_requests_max) {
    return too_large("a multi of " + std::to_string(ops.size()) + " operations",
                     wire::frame_requests_max);
  }
  std::size_t bytes = 0;
  for (const wire::MultiOp& op : ops) bytes += bytes_of(op);
  if (bytes <= wire::transaction_bytes_max) return std::nullopt;
  return too_large("a multi of " + std::to_string(bytes) + " bytes", wire::transaction_bytes_max);
}

Refusal check(const wire::MultiRequest& multi) {
  if (auto refused = check_size(multi.ops)) return refused;
  return multi.otherwise ? check_size(*multi.otherwise) : std::nullopt;
}

Refusal check(const std::vector<wire::Condition>& conditions) {
  if (conditions.size() > wire::conditions_max) {
    return too_large(std::to_string(conditions.size()) + " conditions", wire::conditions_max);
  }
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const wire::Condition& each = conditions[i];
    if (auto refused = check_path(each.path)) return refused;
    const bool must_not_exist = each.tests.exists == false;
    wire::NodeTests others = each.tests;
    others.exists.reset();
    const bool has_others = each.version || !others.none();
    if (must_not_exist ? has_others : !each.tests.exists && !has_others) {
      return wire::Error{
          ErrorCode::bad_arguments,
          "condition " + std::to_string(i) +
              (must_not_exist ? ": a node that must not exist cannot have other tests"
                              : ": at least one test is needed")};
    }
  }
  return std::nullopt;
}

// The place of the first operation that no server can accept, and why.
std::optional<std::pair<std::size_t, wire::Error>> first_refused(
    const std::vector<wire::MultiOp>& ops) {
  for (std::size_t i = 0; i < ops.size(); ++i) {
    if (auto refused = std::visit([](const auto& each) { return check(each); }, ops[i])) {
      return std::pair(i, *std::move(refused));
    }
  }
  return std::nullopt;
}

// As a server refuses a multi: an error for each operation.
wire::MultiReply refuse_all(std::size_t count, std::size_t failed, const wire::Error& error) {
  const wire::Error other{
      ErrorCode::runtime_inconsistency,
      "not attempted: operation " + std::to_string(failed) + " of the multi failed"};
  wire::MultiReply reply;
  for (std::size_t i = 0; i < count; ++i) reply.results.emplace_back(i == failed ? error : other);
  reply.failed = failed;
  return reply;
}

}  // namespace

std::optional<wire::Result<wire::ReplyBody>> refusal_of(
    const wire::Request& request, const std::vector<wire::Condition>& conditions) {
  if (auto refused = std::visit([](const auto& each) { return check(each); }, request)) {
    return *std::move(refused);
  }
  if (auto refused = check(conditions)) return *std::move(refused);
  const auto* multi = std::get_if<wire::MultiRequest>(&request);
  if (!multi) return std::nullopt;
  // With two branches it is not known which one a server would do. Neither may be bad.
  const auto refused = first_refused(multi->ops);
  if (refused && !multi->otherwise) {
    return wire::ReplyBody(refuse_all(multi->ops.size(), refused->first, refused->second));
  }
  if (refused) return refused->second;
  if (!multi->otherwise) return std::nullopt;
  if (conditions.empty()) return wire::Error{ErrorCode::bad_arguments, "else needs a condition"};
  const auto other = first_refused(*multi->otherwise);
  return other ? std::optional<wire::Result<wire::ReplyBody>>(other->second) : std::nullopt;
}

std::optional<wire::Error> refusal_of(const wire::ConnectRequest& connect) {
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
