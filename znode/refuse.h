#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "wire/error.h"
#include "wire/records.h"

namespace znode {

// An error about a path: "/a/b does not exist".
[[nodiscard]] inline wire::Error refuse(wire::ErrorCode code, std::string_view path,
                                        std::string_view what) {
  return {code, std::string(path) + ' ' + std::string(what)};
}

[[nodiscard]] inline wire::Error no_node(std::string_view path) {
  return refuse(wire::ErrorCode::no_node, path, "does not exist");
}

[[nodiscard]] inline wire::Error bad_version(std::string_view path, std::int32_t actual,
                                             std::int32_t expected) {
  return refuse(wire::ErrorCode::bad_version, path,
                "has version " + std::to_string(actual) + ", not " + std::to_string(expected));
}

[[nodiscard]] inline wire::Error bad_acl_version(std::string_view path, std::int32_t actual,
                                                 std::int32_t expected) {
  return refuse(
      wire::ErrorCode::bad_version, path,
      "has an ACL of version " + std::to_string(actual) + ", not " + std::to_string(expected));
}

[[nodiscard]] inline std::string_view name(wire::Perm perm) {
  switch (perm) {
    case wire::Perm::read: return "read";
    case wire::Perm::write: return "write";
    case wire::Perm::create: return "create";
    case wire::Perm::remove: return "delete";
    case wire::Perm::admin: return "admin";
  }
  return "";
}

// `path` is the node whose ACL does not grant the permission.
[[nodiscard]] inline wire::Error no_auth(std::string_view path, wire::Perm perm) {
  return refuse(wire::ErrorCode::no_auth, path,
                "does not grant this client the permission " + std::string(name(perm)));
}

[[nodiscard]] inline wire::Error only_super(std::string_view path) {
  return refuse(wire::ErrorCode::no_auth, path,
                "takes ACLs and quotas only from the super identity (superDigest)");
}

[[nodiscard]] inline wire::Error reserved(std::string_view path) {
  return refuse(wire::ErrorCode::bad_arguments, path, "is reserved: clients can only read it");
}

[[nodiscard]] inline wire::Error parent_is_ephemeral(std::string_view parent) {
  return refuse(wire::ErrorCode::no_children_for_ephemerals, parent,
                "is ephemeral and cannot have children");
}

// A read, or a multi, whose reply would take more than `bytes_max`.
[[nodiscard]] inline wire::Error reply_too_large(std::size_t bytes_max) {
  return {wire::ErrorCode::too_large, "the reply would be larger than maxReplyBytes=" +
                                          std::to_string(bytes_max) + ": ask for less at a time"};
}

[[nodiscard]] inline wire::Error no_watch_in_multi() {
  return {wire::ErrorCode::bad_arguments, "watch: a read within a multi cannot set a watch"};
}

}  // namespace znode
