#include <algorithm>
#include <utility>

#include "tests/sim/service/model.h"

// The model's tree: look-ups and changes.
namespace sim {
namespace {

std::string with_slash(const std::string& path) { return path == "/" ? path : path + '/'; }

}  // namespace

std::optional<Znode> View::find(const std::string& path) const {
  if (const auto done = nodes_.find(path); done != nodes_.end()) return done->second;
  const Znode* node = model_.find(path, at_);
  return node == nullptr ? std::nullopt : std::optional(*node);
}

Znode View::at(const std::string& path) const {
  auto node = find(path);
  if (!node) fail_replay(zxid_, path + " does not exist");
  return *std::move(node);
}

std::vector<std::string> View::paths_under(const std::string& prefix) const {
  std::vector<std::string> paths;
  const auto collect = [&](const auto& map) {
    for (auto each = map.lower_bound(prefix); each != map.end() && each->first.starts_with(prefix);
         ++each) {
      if (each->first != "/" && find(each->first)) paths.push_back(each->first);
    }
  };
  collect(model_.paths_);
  collect(nodes_);
  std::ranges::sort(paths);
  paths.erase(std::ranges::unique(paths).begin(), paths.end());
  return paths;
}

std::vector<std::string> View::children(const std::string& path) const {
  const std::string prefix = with_slash(path);
  std::vector<std::string> names;
  for (const std::string& each : paths_under(prefix)) {
    const std::string name = each.substr(prefix.size());
    if (name.find('/') == std::string::npos) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> View::below(const std::string& path) const {
  return paths_under(with_slash(path));
}

std::vector<std::string> View::ephemerals(wire::SessionId session) const {
  std::vector<std::string> paths;
  for (const std::string& path : paths_under("/")) {
    if (find(path)->stat.ephemeral_owner == session) paths.push_back(path);
  }
  return paths;
}

void View::create(const std::string& path, Znode node) {
  Znode above = at(parent_path(path));
  if (find(path)) fail_replay(zxid_, path + " exists already");
  if (!above.stat.ephemeral_owner.none()) fail_replay(zxid_, path + " is below an ephemeral node");
  above.creations += 1;
  above.stat.cversion += 1;
  above.stat.num_children += 1;
  above.stat.pzxid = zxid_;
  nodes_[parent_path(path)] = above;

  node.stat.czxid = node.stat.mzxid = node.stat.pzxid = zxid_;
  node.stat.ctime = node.stat.mtime = time_;
  node.stat.data_length = static_cast<std::int32_t>(node.data.size());
  nodes_[path] = std::move(node);
  recorded_.push_back({.kind = wire::EventKind::created, .path = path, .data = {}, .stat = {}});
  recorded_.push_back(
      {.kind = wire::EventKind::children, .path = parent_path(path), .data = {}, .stat = {}});
}

void View::set(const std::string& path, const wire::Bytes& data) {
  Znode node = at(path);
  node.data = data;
  node.stat.data_length = static_cast<std::int32_t>(data.size());
  node.stat.version += 1;
  node.stat.mzxid = zxid_;
  node.stat.mtime = time_;
  nodes_[path] = std::move(node);
  recorded_.push_back({.kind = wire::EventKind::changed, .path = path, .data = {}, .stat = {}});
}

void View::set_acl(const std::string& path, const wire::Acl& acl) {
  Znode node = at(path);
  node.acl = acl;
  node.stat.aversion += 1;
  nodes_[path] = std::move(node);
}

void View::erase(const std::string& path, bool parent_stays) {
  const Znode node = at(path);
  if (node.stat.num_children != 0) fail_replay(zxid_, path + " has children");
  Znode above = at(parent_path(path));
  above.stat.cversion += 1;
  above.stat.num_children -= 1;
  above.stat.pzxid = zxid_;
  nodes_[parent_path(path)] = std::move(above);
  nodes_[path] = std::nullopt;
  recorded_.push_back(
      {.kind = wire::EventKind::deleted, .path = path, .data = {}, .stat = {}, .acl = node.acl});
  if (parent_stays) {
    recorded_.push_back(
        {.kind = wire::EventKind::children, .path = parent_path(path), .data = {}, .stat = {}});
  }
}

// Children before their parents, in name order.
void View::erase_subtree(const std::string& path) {
  for (const std::string& name : children(path)) {
    const std::string child = with_slash(path) + name;
    const auto erase_below = [&](const auto& self, const std::string& root) -> void {
      for (const std::string& each : children(root)) self(self, root + '/' + each);
      erase(root, false);
    };
    erase_below(erase_below, child);
  }
  erase(path);
}

std::vector<ZnodeChange> View::changes() const {
  std::vector<ZnodeChange> changes;
  std::map<std::pair<std::string, wire::EventKind>, bool> reported;
  for (ZnodeChange change : recorded_) {
    const auto reset = [&] {
      reported.erase({change.path, wire::EventKind::changed});
      reported.erase({change.path, wire::EventKind::children});
    };
    const auto node = find(change.path);
    switch (change.kind) {
      case wire::EventKind::deleted: reset(); break;
      case wire::EventKind::created: reset(); break;
      default:
        if (!node && change.kind == wire::EventKind::children) continue;
        if (std::exchange(reported[{change.path, change.kind}], true)) continue;
    }
    if (node && change.kind != wire::EventKind::deleted) {
      change.stat = node->stat;
      change.acl = node->acl;
      if (change.kind != wire::EventKind::children) change.data = node->data;
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace sim
