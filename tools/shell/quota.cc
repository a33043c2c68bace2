#include <string>

#include <nlohmann/json.hpp>

#include "tools/shell/print.h"
#include "tools/shell/quota_limits.h"
#include "tools/shell/requests.h"

namespace shell {
namespace {

using wire::ErrorCode;

// A negative number means that there is no limit.
std::optional<std::int64_t> limit_of(const std::string& limits, std::string_view name) {
  const auto limit = quota_part(limits, name);
  return limit && *limit >= 0 ? limit : std::nullopt;
}

nlohmann::json use_json(std::optional<std::int64_t> used, std::optional<std::int64_t> limit) {
  nlohmann::json use{{"used", used.value_or(0)}, {"limit", nullptr}};
  if (limit) use["limit"] = *limit;
  return use;
}

Row use_row(const char* name, std::optional<std::int64_t> used, std::optional<std::int64_t> limit) {
  return {name, std::to_string(used.value_or(0)), limit ? std::to_string(*limit) : "none"};
}

}  // namespace

void Runner::on(const Quota& quota) {
  const std::string path = absolute(quota.path);
  if (quota.nodes || quota.bytes) {
    set_quota(quota, path);
  } else {
    show_quota(path);
  }
}

void Runner::show_quota(const std::string& path) {
  const auto limits = client_().get(limits_path(path));
  if (limits.has_error() && limits.error().code == ErrorCode::no_node) {
    throw Ended{exit_no_node, path + ": has no quota (NoNode)"};
  }
  if (limits.has_error()) throw Refused{limits.error(), path};
  const wire::GetReply usage = ask(wire::GetRequest{usage_path(path), {}}, path, Echo::quiet);
  const auto nodes = quota_part(usage.data, "count");
  const auto bytes = quota_part(usage.data, "bytes");
  const auto nodes_max = limit_of(limits->data, nodes_limit);
  const auto bytes_max = limit_of(limits->data, bytes_limit);
  if (json_) {
    out_ << json_line({{"path", path},
                       {"nodes", use_json(nodes, nodes_max)},
                       {"bytes", use_json(bytes, bytes_max)}});
    return;
  }
  out_ << table({{"", "USED", "LIMIT"},
                 use_row("nodes", nodes, nodes_max),
                 use_row("bytes", bytes, bytes_max)},
                {false, true, true});
}

// Sets the limits only at the version that was read. So a limit that another client sets meanwhile
// is not lost.
void Runner::set_quota(const Quota& quota, const std::string& path) {
  const std::string node = limits_path(path);
  const auto former = client_().get(node);
  const bool is_new = former.has_error() && former.error().code == ErrorCode::no_node;
  if (former.has_error() && !is_new) throw Refused{former.error(), path};
  std::string limits = is_new ? std::string() : former->data;
  const auto change = [&](std::string_view name, const std::optional<QuotaLimit>& limit) {
    if (limit) limits = with_quota_part(limits, name, limit->max);
  };
  change(nodes_limit, quota.nodes);
  change(bytes_limit, quota.bytes);
  if (limits.empty() && is_new) return;
  if (limits.empty()) {
    ask(wire::DeleteRequest{node, former->stat.version}, path);
  } else if (is_new) {
    wire::CreateRequest create;
    create.path = node;
    create.data = limits;
    ask(create, path);
  } else {
    ask(wire::SetRequest{node, limits, former->stat.version}, path);
  }
}

}  // namespace shell
