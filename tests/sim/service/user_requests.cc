#include <algorithm>
#include <utility>
#include <variant>

#include "tests/sim/service/user.h"

// The random requests of a user.
namespace sim {

std::string User::some_path() {
  static const char* const names[] = {"/a", "/b", "/c"};
  std::string path = names[random_.below(3)];
  if (!random_.one_in(4)) path += "/k" + std::to_string(random_.below(4));
  if (random_.one_in(5)) path += "/x";
  if (random_.one_in(60)) return "/";
  if (random_.one_in(60)) path += '/';
  return path;
}

// A zxid that the user has seen at some time.
wire::Zxid User::some_past() {
  if (history_.empty()) return seen_;
  const TrackedRequest& tracked = *history_[random_.below(history_.size())];
  return tracked.reply ? tracked.reply->zxid : tracked.seen;
}

std::int32_t User::some_version(const std::string& path) {
  if (!random_.one_in(3)) return wire::any_version;
  const auto known = versions_.find(path);
  return known == versions_.end() ? static_cast<std::int32_t>(random_.below(3)) : known->second;
}

wire::Bytes User::some_data() { return std::to_string(number_) + '.' + std::to_string(++writes_); }

wire::Request User::some_write(bool within_multi) {
  const std::string path = some_path();
  switch (random_.below(within_multi ? 6 : 8)) {
    case 0:
    case 1: {
      wire::SetRequest set;
      set.path = path;
      set.data = some_data();
      set.version = some_version(path);
      set.create = random_.one_in(3);
      return set;
    }
    case 2:
    case 3: {
      wire::CreateRequest create;
      create.path = path;
      create.data = some_data();
      create.parents = random_.one_in(2);
      switch (random_.below(8)) {
        case 0:
        case 1: create.ephemeral = true; break;
        case 2: create.container = true; break;
        case 3: create.ttl_ms = static_cast<std::int64_t>(random_.between(1, 40)) * tick_ms; break;
        default: break;
      }
      if (random_.one_in(12)) create.acl = wire::Acl{{"world", "anyone", 31 & ~1}};
      return create;
    }
    case 4:
    case 5: {
      wire::DeleteRequest remove;
      remove.path = path;
      remove.version = some_version(path);
      remove.recursive = random_.one_in(4);
      return remove;
    }
    case 6: {
      wire::CreateRequest create;
      create.path = random_.one_in(2) ? "/a/n-" : "/b/n-";
      create.data = some_data();
      create.sequential = true;
      create.ephemeral = random_.one_in(2);
      create.parents = true;
      return create;
    }
    default: {
      wire::SetAclRequest acl;
      acl.path = path;
      acl.acl = {{"world", "anyone",
                  static_cast<std::uint8_t>(random_.one_in(2) ? 31 : 16 | random_.below(16))}};
      acl.version = random_.one_in(4) ? 0 : wire::any_version;
      // Otherwise no user could write at all.
      if (path == "/") acl.acl = wire::open_acl();
      return acl;
    }
  }
}

wire::Request User::some_read() {
  wire::ReadOptions read;
  switch (random_.below(6)) {
    case 0:
    case 1: read.consistency = wire::Linearizable{}; break;
    case 2: read.consistency = wire::AtLeast{world_.oracle().acknowledged()}; break;
    default: break;
  }
  read.watch = random_.one_in(4);
  const std::string path = some_path();
  switch (random_.below(10)) {
    case 0:
    case 1:
    case 2: return wire::GetRequest{path, read};
    case 3: return wire::ExistsRequest{path, read};
    case 4: {
      wire::ChildrenRequest children;
      children.path = path;
      children.read = read;
      children.with_stat = random_.one_in(2);
      children.with_data = random_.one_in(3);
      if (random_.one_in(3)) children.limit = static_cast<std::uint32_t>(random_.below(4));
      if (random_.one_in(3)) children.after = "k1";
      if (condition_random_.one_in(3)) children.before = "k" + std::to_string(number_ % 4);
      children.reverse = condition_random_.one_in(3);
      return children;
    }
    case 5: return wire::CountRequest{path, read};
    case 6: return wire::EphemeralsRequest{random_.one_in(2) ? "/" : "/a"};
    case 7: return wire::GetAclRequest{path};
    case 8: return wire::SyncRequest{path};
    default: return wire::PingRequest{};
  }
}

wire::Request User::some_request() {
  const std::uint64_t dice = random_.below(100);
  if (dice < 40) return some_write(false);
  if (dice < 48) {
    wire::MultiRequest multi;
    bool has_ephemeral = false;
    for (std::uint64_t i = random_.between(1, 4); i > 0; --i) {
      const std::string path = some_path();
      switch (random_.below(6)) {
        case 0: multi.ops.emplace_back(wire::CheckRequest{path, some_version(path)}); break;
        case 1: multi.ops.emplace_back(wire::GetRequest{path, {}}); break;
        case 2: {
          wire::ChildrenRequest children;
          children.path = path;
          multi.ops.emplace_back(children);
          break;
        }
        default:
          std::visit(
              [&](auto& op) {
                using Op = std::decay_t<decltype(op)>;
                if constexpr (std::is_same_v<Op, wire::CreateRequest>) {
                  // The order of deletion of several ephemeral nodes with equal czxids is
                  // unspecified.
                  if (std::exchange(has_ephemeral, has_ephemeral || op.ephemeral)) {
                    op.ephemeral = false;
                  }
                }
                if constexpr (std::is_constructible_v<wire::MultiOp, Op>)
                  multi.ops.emplace_back(op);
              },
              *std::make_unique<wire::Request>(some_write(true)));
      }
    }
    return multi;
  }
  if (dice < 60) {
    wire::WatchRequest watch;
    watch.path = some_path();
    watch.scope = static_cast<wire::WatchScope>(random_.below(3));
    watch.once = random_.one_in(3);
    watch.with_data = random_.one_in(2);
    if (random_.one_in(2)) watch.from = random_.one_in(3) ? some_past() : seen_;
    return watch;
  }
  if (dice < 63 && !watches_.empty()) {
    return wire::UnwatchRequest{watches_[random_.below(watches_.size())]};
  }
  if (dice < 64 && random_.one_in(2)) return wire::CloseRequest{};
  return some_read();
}

}  // namespace sim
