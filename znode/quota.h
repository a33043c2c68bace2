#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/result.h"

// Quotas limit the nodes and bytes of subtrees. They are stored below /zookeeper/quota, as in
// ZooKeeper. The limits of /a are the data of /zookeeper/quota/a/zookeeper_limits. The data of
// /zookeeper/quota/a/zookeeper_stats is the present usage, which is counted when it is read.
namespace znode {

inline constexpr std::string_view quota_path = "/zookeeper/quota";
inline constexpr std::string_view limits_name = "zookeeper_limits";
inline constexpr std::string_view stats_name = "zookeeper_stats";

// The number of nodes and the bytes of their data, in a subtree with its root. Also used for
// limits: -1 is no limit.
struct Usage {
  std::int64_t nodes = 0;
  std::int64_t bytes = 0;

  Usage& operator+=(const Usage& more) {
    nodes += more.nodes;
    bytes += more.bytes;
    return *this;
  }
  Usage& operator-=(const Usage& less) {
    nodes -= less.nodes;
    bytes -= less.bytes;
    return *this;
  }
  bool operator==(const Usage&) const = default;
};

struct QuotaLimits {
  Usage soft{-1, -1};  // stored, without effect
  Usage hard{-1, -1};

  bool operator==(const QuotaLimits&) const = default;
};

// Parses "count=5,bytes=-1=;byteHardLimit=-1;countHardLimit=10": in any order, each part optional.
// Returns BadArguments for other texts.
[[nodiscard]] wire::Result<QuotaLimits> limits_of(std::string_view text);
// "count=5,bytes=100"
[[nodiscard]] std::string text_of(const Usage& usage);

// The path of the limits node of the subtree `path`.
[[nodiscard]] std::string limits_path(std::string_view path);
// The subtree that a quota node belongs to: "/a" of "/zookeeper/quota/a/zookeeper_limits", of
// ".../a/zookeeper_stats" and of "/zookeeper/quota/a". None if `path` is not below
// /zookeeper/quota.
[[nodiscard]] std::optional<std::string_view> limited_path(std::string_view path);
[[nodiscard]] bool is_limits(std::string_view path);
[[nodiscard]] bool is_stats(std::string_view path);

}  // namespace znode
