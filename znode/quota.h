#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wire/result.h"

// Quotas: what a subtree may have, kept below /zookeeper/quota as ZooKeeper keeps it. The limits of
// /a are the data of /zookeeper/quota/a/zookeeper_limits; what there is of it, the data of
// /zookeeper/quota/a/zookeeper_stats, is counted when it is read.
namespace znode {

inline constexpr std::string_view quota_path = "/zookeeper/quota";
inline constexpr std::string_view limits_name = "zookeeper_limits";
inline constexpr std::string_view stats_name = "zookeeper_stats";

// Nodes and bytes of their data: those that a subtree has, its root included, or may have; -1 is no
// limit.
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
  Usage soft{-1, -1};  // known, and without effect
  Usage hard{-1, -1};

  bool operator==(const QuotaLimits&) const = default;
};

// "count=5,bytes=-1=;byteHardLimit=-1;countHardLimit=10", in any order, each part optional.
// BadArguments otherwise.
[[nodiscard]] wire::Result<QuotaLimits> limits_of(std::string_view text);
// "count=5,bytes=100"
[[nodiscard]] std::string text_of(const Usage& usage);

// Where the limits of `path` are kept.
[[nodiscard]] std::string limits_path(std::string_view path);
// "/a" of "/zookeeper/quota/a/zookeeper_limits", of ".../a/zookeeper_stats" and of
// "/zookeeper/quota/a"; nothing for any path that is not below /zookeeper/quota.
[[nodiscard]] std::optional<std::string_view> limited_path(std::string_view path);
[[nodiscard]] bool is_limits(std::string_view path);
[[nodiscard]] bool is_stats(std::string_view path);

}  // namespace znode
