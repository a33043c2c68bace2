#include "tools/shell/mirroring.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "tools/shell/subtree_removal.h"
#include "tools/shell/tree_walk.h"

namespace shell {
namespace {

using wire::ErrorCode;

// So many requests are outstanding at a time.
constexpr std::size_t mirrored_at_once_max = 32;

bool is_ephemeral(const wire::Stat& stat) { return stat.ephemeral_owner != wire::SessionId{}; }

NodeCopy::Kind kind_of(const wire::Stat& stat) {
  if (stat.container) return NodeCopy::Kind::container;
  return stat.ttl_ms ? NodeCopy::Kind::ttl : NodeCopy::Kind::persistent;
}

// Whether the node belongs to the servers of one of the ensembles: they write it themselves.
bool is_of_servers(const std::string& original_top, const std::string& copy_top,
                   const std::string& path) {
  if (original_top != "/" && copy_top != "/") return false;
  return path == "zookeeper" || path.starts_with("zookeeper/");
}

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string(top_of_subtree) : path.substr(0, slash);
}

}  // namespace

Mirroring::Mirroring(Side original, Side copy, Settings settings)
    : original_(std::move(original)), copy_(std::move(copy)), settings_(std::move(settings)) {}

// --- Everything ---

void Mirroring::equalize(Omissions& of_original, Omissions& of_copy) {
  removed_.clear();
  created_.clear();
  set_.clear();
  TreeWalk original(original_.client, original_.top, {.with_data = true}, of_original);
  std::optional<TreeWalk> copy;
  if (copy_exists()) {
    copy.emplace(copy_.client, copy_.top, TreeWalk::Options{.with_data = true}, of_copy);
  }
  TreeDiff differences({original_.top, [&] { return original.next(); }},
                       {copy_.top, [&] { return copy ? copy->next() : std::nullopt; }});
  while (const auto difference = differences.next()) {
    write(*difference);
    if (created_.size() + set_.size() >= mirrored_at_once_max) flush();
  }
  flush();
}

bool Mirroring::copy_exists() {
  const zabkeeper::AnyReply reply =
      BegunRequest(copy_.client, wire::ExistsRequest{copy_.top, {}}).take();
  if (reply.result.has_error()) {
    refuse(copy_, reply.result.error(), std::string(top_of_subtree), Effect::read);
  }
  return std::get<wire::ExistsReply>(*reply.result).stat.has_value();
}

// Nodes that may not be read have no stat: they are left as they are.
void Mirroring::write(const NodeDifference& difference) {
  const auto& [path, original, copy] = difference;
  if (is_of_servers(original_.top, copy_.top, path)) return;
  if ((original && !original->stat) || (copy && !copy->stat)) return;
  const bool has_original = original && !is_ephemeral(*original->stat);
  if (!has_original) {
    if (path == top_of_subtree) {
      throw Ended{exit_usage, original_.servers + original_.top + ": is an ephemeral node"};
    }
    if (!copy || is_ephemeral(*copy->stat)) return;
    if (!removed_.empty() && path.starts_with(removed_ + '/')) return;
    if (!settings_.deletes_others) {
      throw Ended{exit_other, copy_.servers + path_below(copy_.top, path) +
                                  ": the original has no such node; --delete deletes such nodes"};
    }
    removed_ = path;
    flush();
    return remove_subtree(path);
  }
  Node node{path, original->data.value_or(wire::Bytes{}), *original->stat};
  if (!copy) {
    created_.push_back(std::move(node));
  } else if (copy->data != original->data && !is_ephemeral(*copy->stat)) {
    set_.push_back(std::move(node));
  }
}

void Mirroring::flush() {
  create(std::exchange(created_, {}), Retry::with_parent);
  set(std::exchange(set_, {}));
}

// --- Some nodes ---

void Mirroring::update(const std::vector<std::string>& paths) {
  for (auto begin = paths.begin(); begin != paths.end();) {
    const auto end = begin + std::min<std::ptrdiff_t>(mirrored_at_once_max, paths.end() - begin);
    std::vector<BegunRequest> reads;
    for (auto path = begin; path != end; ++path) {
      reads.emplace_back(original_.client, wire::GetRequest{path_below(original_.top, *path), {}});
    }
    Nodes there;
    std::vector<std::string> gone;
    for (BegunRequest& read : reads) {
      const std::string& path = *begin++;
      zabkeeper::AnyReply reply = read.take();
      if (reply.result.has_error() &&
          (reply.result.error().code != ErrorCode::no_node || path == top_of_subtree)) {
        refuse(original_, reply.result.error(), path, Effect::read);
      }
      auto* found = reply.result ? std::get_if<wire::GetReply>(&*reply.result) : nullptr;
      if (is_of_servers(original_.top, copy_.top, path)) continue;
      if (found == nullptr || is_ephemeral(found->stat)) {
        if (path != top_of_subtree) gone.push_back(path);
      } else {
        there.push_back({path, std::move(found->data), found->stat});
      }
    }
    set(there);
    remove(gone);
  }
}

void Mirroring::set(const Nodes& nodes) {
  if (settings_.is_dry_run) {
    for (const Node& node : nodes) report(Action::set, node.path);
    return;
  }
  std::vector<BegunRequest> writes;
  for (const Node& node : nodes) {
    writes.emplace_back(copy_.client,
                        wire::SetRequest{path_below(copy_.top, node.path), node.data});
  }
  Nodes missing;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const zabkeeper::AnyReply reply = writes[i].take();
    if (!reply.result.has_error()) {
      report(Action::set, nodes[i].path);
    } else if (reply.result.error().code == ErrorCode::no_node) {
      missing.push_back(nodes[i]);
    } else {
      refuse(copy_, reply.result.error(), nodes[i].path, Effect::write);
    }
  }
  create(std::move(missing), Retry::with_parent);
}

// Removes the nodes from the list that are gone.
std::vector<std::optional<wire::Acl>> Mirroring::acls_of(Nodes& nodes) {
  if (!settings_.with_acls) return std::vector<std::optional<wire::Acl>>(nodes.size());
  std::vector<BegunRequest> reads;
  for (const Node& node : nodes) {
    reads.emplace_back(original_.client, wire::GetAclRequest{path_below(original_.top, node.path)});
  }
  std::vector<std::optional<wire::Acl>> acls;
  Nodes left;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    zabkeeper::AnyReply reply = reads[i].take();
    if (reply.result.has_error()) {
      if (reply.result.error().code == ErrorCode::no_node) continue;
      refuse(original_, reply.result.error(), nodes[i].path, Effect::read);
    }
    wire::Acl acl = std::get<wire::AclReply>(std::move(*reply.result)).acl;
    if (has_hidden_hash(acl)) {
      throw Ended{exit_no_auth, original_.servers + path_below(original_.top, nodes[i].path) +
                                    ": the server hides a hash of its ACL; --no-acls mirrors "
                                    "without ACLs"};
    }
    acls.emplace_back(std::move(acl));
    left.push_back(std::move(nodes[i]));
  }
  nodes = std::move(left);
  return acls;
}

void Mirroring::create(Nodes nodes, Retry retry) {
  if (settings_.is_dry_run) {
    for (const Node& node : nodes) report(Action::create, node.path);
    return;
  }
  const std::vector<std::optional<wire::Acl>> acls = acls_of(nodes);
  std::vector<BegunRequest> writes;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    const bool makes_parents = settings_.parents && node.path == top_of_subtree;
    writes.emplace_back(
        copy_.client,
        create_request({node.path, node.data, kind_of(node.stat), node.stat.ttl_ms, acls[i]},
                       path_below(copy_.top, node.path),
                       makes_parents ? Parents::are_created : Parents::must_exist));
  }
  Nodes existing;
  Nodes orphans;
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const zabkeeper::AnyReply reply = writes[i].take();
    if (!reply.result.has_error()) {
      report(Action::create, nodes[i].path);
      continue;
    }
    const wire::Error& error = reply.result.error();
    if (error.code == ErrorCode::node_exists) {
      existing.push_back(std::move(nodes[i]));
    } else if (error.code == ErrorCode::no_node && nodes[i].path != top_of_subtree) {
      if (retry == Retry::with_parent) orphans.push_back(std::move(nodes[i]));
    } else {
      refuse(copy_, error, nodes[i].path, Effect::write);
    }
  }
  if (!existing.empty()) set(existing);
  for (Node& orphan : orphans) create_parent_and(std::move(orphan));
}

// If the parent is gone from the original too, an event of the parent or of this node follows.
void Mirroring::create_parent_and(Node node) {
  update({parent_of(node.path)});
  Nodes nodes;
  nodes.push_back(std::move(node));
  create(std::move(nodes), Retry::none);
}

void Mirroring::remove(const std::vector<std::string>& paths) {
  std::vector<BegunRequest> writes;
  for (const std::string& path : paths) {
    writes.emplace_back(copy_.client, wire::DeleteRequest{path_below(copy_.top, path)});
  }
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const zabkeeper::AnyReply reply = writes[i].take();
    const ErrorCode code = reply.result.has_error() ? reply.result.error().code : ErrorCode();
    if (!reply.result.has_error()) {
      report(Action::remove, paths[i]);
    } else if (code == ErrorCode::not_empty && settings_.deletes_others) {
      remove_subtree(paths[i]);
    } else if (code == ErrorCode::not_empty) {
      settings_.keep(path_below(copy_.top, paths[i]));
    } else if (code != ErrorCode::no_node) {
      refuse(copy_, reply.result.error(), paths[i], Effect::write);
    }
  }
}

void Mirroring::remove_subtree(const std::string& path) {
  if (!settings_.is_dry_run) {
    SubtreeRemoval removal(copy_.client, path_below(copy_.top, path), wire::any_version,
                           [](const SubtreeRemoval::Nodes&) { return !interrupted.load(); });
    const SubtreeRemoval::Outcome outcome = removal.run();
    if (outcome.interrupted) throw Interrupted{};
    if (outcome.failure && outcome.failure->error.code != ErrorCode::no_node) {
      throw Refused{outcome.failure->error, copy_.servers + outcome.failure->path, Effect::write,
                    outcome.zxid};
    }
  }
  report(Action::remove, path);
}

void Mirroring::refuse(const Side& side, const wire::Error& error, const std::string& path,
                       Effect effect) const {
  Refused refused{error, side.servers + path_below(side.top, path), effect};
  if (error.code == ErrorCode::no_node && effect == Effect::write) {
    refused.hint = "-p creates missing parents";
  }
  throw refused;
}

void Mirroring::report(Action action, const std::string& path) const {
  settings_.report(action, path_below(copy_.top, path));
}

}  // namespace shell
