#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <variant>

#include "tests/sim/service/oracle.h"
#include "tests/sim/violation.h"
#include "wire/json.h"

// The checks of what is too large. The server judges by an estimate before it builds a reply. The
// oracle measures the reply: the estimate is never below that, and above it within bounds.
namespace sim {
namespace {

using wire::ErrorCode;
using Body = wire::Result<wire::ReplyBody>;

// What an envelope takes.
constexpr std::size_t envelope_bytes = 256;
// What the server may count for each item of a reply beside its texts, and for each byte of a text.
constexpr std::size_t item_bytes = 600;
constexpr std::size_t escaped_bytes = 6;

std::size_t encoded_size(const wire::Reply& reply) {
  std::string text;
  wire::json::write(wire::ServerMessage(reply), text);
  return text.size();
}

std::size_t size_of(const TrackedRequest& tracked) {
  std::string text;
  wire::json::write(tracked.request, text);
  return text.size();
}

std::size_t items_of(const auto&) { return 1; }
std::size_t items_of(const wire::ChildrenReply& reply) { return 1 + reply.children.size(); }
std::size_t items_of(const wire::MultiReply& multi) {
  std::size_t items = 1;
  for (const auto& result : multi.results) {
    if (result) items += std::visit([](const auto& one) { return items_of(one); }, *result);
  }
  return items;
}

// The most that the server may count for this reply.
std::size_t estimate_max(const Body& body) {
  if (!body) return 0;
  const std::size_t items = std::visit([](const auto& each) { return items_of(each); }, *body);
  return escaped_bytes * encoded_size({{}, {}, {}, body}) + (items + 1) * item_bytes;
}

// Whether the first list is a beginning of the second one.
bool ends_early(const wire::ChildrenReply& got, const wire::ChildrenReply& full) {
  return got.more && got.stat == full.stat && got.with_details == full.with_details &&
         got.children.size() < full.children.size() &&
         std::ranges::equal(got.children, std::span(full.children).first(got.children.size()));
}

bool ends_early(const wire::MultiReply& got, const wire::MultiReply& full) {
  if (got.failed || full.failed || got.results.size() != full.results.size()) return false;
  return std::ranges::equal(got.results, full.results, [](const auto& one, const auto& other) {
    if (!one || !other) return false;
    const auto* list = std::get_if<wire::ChildrenReply>(&*one);
    const auto* whole = std::get_if<wire::ChildrenReply>(&*other);
    return *one == *other || (list != nullptr && whole != nullptr && ends_early(*list, *whole));
  });
}

bool ends_early(const Body& got, const Body& full) {
  if (!got || !full || got->index() != full->index()) return false;
  if (const auto* list = std::get_if<wire::ChildrenReply>(&*got)) {
    return ends_early(*list, std::get<wire::ChildrenReply>(*full));
  }
  const auto* multi = std::get_if<wire::MultiReply>(&*got);
  return multi != nullptr && ends_early(*multi, std::get<wire::MultiReply>(*full));
}

}  // namespace

std::optional<std::size_t> too_large_at(const Body& body) {
  if (!body) {
    return body.error().code == ErrorCode::too_large ? std::optional<std::size_t>(0) : std::nullopt;
  }
  const auto* multi = std::get_if<wire::MultiReply>(&*body);
  if (multi == nullptr || !multi->failed) return std::nullopt;
  const auto& failed = multi->results[*multi->failed];
  return !failed && failed.error().code == ErrorCode::too_large ? multi->failed : std::nullopt;
}

wire::ClientRequest tried(const wire::ClientRequest& request, const Body& reply) {
  wire::ClientRequest cut = request;
  auto* multi = std::get_if<wire::MultiRequest>(&cut.request);
  const auto at = too_large_at(reply);
  if (multi == nullptr || !at) return cut;
  for (auto* ops : {&multi->ops, multi->otherwise ? &*multi->otherwise : nullptr}) {
    if (ops != nullptr && ops->size() > *at + 1)
      ops->erase(ops->begin() + 1 + static_cast<std::ptrdiff_t>(*at), ops->end());
  }
  return cut;
}

void Oracle::check_size(const TrackedRequest& tracked, const wire::Reply& reply) const {
  if (!reply.body || bounds_.reply_bytes == RequestBounds().reply_bytes) return;
  const std::size_t size = encoded_size(reply);
  // The lists of a multi may grow between its plan and its end, up to the bound by themselves.
  const bool is_multi = std::holds_alternative<wire::MultiReply>(*reply.body);
  if (size <= (is_multi ? 2 : 1) * bounds_.reply_bytes + envelope_bytes) return;
  throw Violation("bounds", describe(tracked) + " has a reply of " + std::to_string(size) +
                                " bytes, and " + std::to_string(bounds_.reply_bytes) +
                                " are allowed");
}

// By itself, whatever the state is.
bool Oracle::is_too_large(const TrackedRequest& tracked) const {
  const auto has_large_data = [&](const auto& request) {
    if constexpr (requires { request.data; }) return request.data.size() > bounds_.data_bytes;
    return false;
  };
  if (size_of(tracked) > bounds_.frame_bytes) return true;
  const auto* multi = std::get_if<wire::MultiRequest>(&tracked.request.request);
  if (multi == nullptr) return std::visit(has_large_data, tracked.request.request);
  std::size_t size = tracked.request.conditions.size();
  bool is_large = false;
  for (const auto* ops : {&multi->ops, multi->otherwise ? &*multi->otherwise : nullptr}) {
    if (ops == nullptr) continue;
    size += ops->size();
    is_large |=
        std::ranges::any_of(*ops, [&](const auto& op) { return std::visit(has_large_data, op); });
  }
  return is_large || size > bounds_.multi_ops;
}

bool Oracle::is_short_form(const Body& got, const Body& expected) const {
  if (!may_be_full_ || got || !expected) return false;
  const auto* multi = std::get_if<wire::MultiReply>(&*expected);
  return multi != nullptr && multi->failed &&
         is_same_result(got, Body(multi->results[*multi->failed].error()));
}

// Whether the reply is the expected one, or as much of it as is allowed.
bool Oracle::agrees(const TrackedRequest& tracked, const Body& got, const Body& expected) const {
  if (is_same_result(got, expected) || is_short_form(got, expected)) return true;
  if (got && std::holds_alternative<wire::TruncatedReply>(*got)) return !is_failure(expected);
  if (const auto at = too_large_at(got)) {
    if (is_too_large(tracked)) return true;
    const auto* multi = expected ? std::get_if<wire::MultiReply>(&*expected) : nullptr;
    const bool fails_before =
        multi != nullptr ? multi->failed && *multi->failed <= *at : !expected.has_value();
    return !fails_before && estimate_max(expected) > bounds_.reply_bytes;
  }
  return ends_early(got, expected) && estimate_max(expected) > bounds_.reply_bytes;
}

}  // namespace sim
