#include <string>
#include <unistd.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "client-lib/block.h"
#include "tools/shell/copying.h"
#include "tools/shell/print.h"
#include "tools/shell/progress.h"
#include "tools/shell/requests.h"
#include "tools/shell/subtree_removal.h"
#include "tools/shell/subtree_writer.h"

namespace shell {
namespace {

using wire::ErrorCode;

constexpr int move_attempts_max = 5;
constexpr std::size_t moved_nodes_max = operations_max / moved_operations;

SubtreeReader::Settings everything() {
  return {true, /*with_ephemerals=*/true, [] { return interrupted.load(); }};
}

// Throws Ended if a node below `from` could not be moved with the others.
void expect_movable(const std::vector<NodeCopy>& nodes, const SubtreeReader& reader,
                    const std::string& from) {
  expect_visible_acls(nodes, from);
  for (const NodeCopy& node : nodes) {
    if (node.kind != NodeCopy::Kind::ephemeral) continue;
    throw Ended{exit_usage, path_below(from, node.path) +
                                " is ephemeral: it belongs to its session and cannot be moved"};
  }
  if (reader.remarks().unreadable == 0) return;
  throw Refused{{ErrorCode::no_auth, {}}, reader.remarks().first_unreadable, Effect::write};
}

// Whether the transaction was refused because the source has changed since it was read.
bool has_changed(const Transacted& done, const std::string& from) {
  const ErrorCode code = done.error->code;
  const bool is_of_source = done.path == from || done.path.starts_with(from + '/');
  return is_of_source && (code == ErrorCode::condition_failed || code == ErrorCode::no_node ||
                          code == ErrorCode::not_empty);
}

enum class Moved { all, none_too_large };

// Moves the subtree in one transaction. If the subtree has changed since it was read, begins again.
Moved move_at_once(zabkeeper::Client& client, const std::string& from, const std::string& to,
                   Parents parents, Gathered& gathered) {
  for (int attempt = 1;; ++attempt) {
    SubtreeReader reader(client, from, everything());
    (void)reader.begin();
    gathered = gather(reader, moved_nodes_max);
    if (!gathered.is_whole) return Moved::none_too_large;
    expect_movable(gathered.nodes, reader, from);
    const Transacted done = transact(client, move_request(gathered.nodes, from, to, parents));
    if (!done.error) return Moved::all;
    if (done.error->code == ErrorCode::too_large) return Moved::none_too_large;
    if (!has_changed(done, from)) {
      Refused refused{*done.error, done.path, Effect::write, done.zxid};
      if (done.error->code == ErrorCode::no_node) refused.hint = "-p creates missing parents";
      throw refused;
    }
    if (attempt == move_attempts_max) {
      throw Ended{exit_other, from + " changes all the time: nothing was moved"};
    }
  }
}

// Copies all nodes, and returns their number. Throws Ended if one of them was changed meanwhile.
std::uint64_t copy_unchanged(zabkeeper::Client& client, const std::string& from,
                             const SubtreeWriter::Settings& settings, Progress& progress) {
  SubtreeReader reader(client, from, everything());
  SubtreeWriter writer(client, settings);
  (void)reader.begin();
  for (auto nodes = reader.next(); !nodes.empty(); nodes = reader.next()) {
    expect_movable(nodes, reader, from);
    for (NodeCopy& node : nodes) writer.add(std::move(node));
    progress.show("copied " + std::to_string(writer.counts().created) + " nodes");
  }
  writer.finish();
  // All events of earlier changes come before this reply.
  const auto synced = zabkeeper::block<wire::EmptyReply>(
      [&](auto handler) { client.async_sync(std::move(handler)); });
  if (synced.has_error()) throw Refused{synced.error(), from};
  if (reader.changes() == 0 && reader.remarks().unreadable == 0) return writer.counts().created;
  throw Ended{exit_other, from + " was changed while it was copied: nothing of it is deleted; " +
                              settings.top + " has a copy, `rm -r` removes it"};
}

nlohmann::json moved_json(std::uint64_t nodes, bool is_atomic) {
  return {{"nodes", nodes}, {"atomic", is_atomic}};
}

std::string moved_text(std::uint64_t nodes, bool is_atomic) {
  return "moved " + std::to_string(nodes) + (nodes == 1 ? " node" : " nodes") +
         (is_atomic ? " in one transaction\n" : " in many transactions\n");
}

}  // namespace

void Runner::on(const Move& command) {
  const std::string from = absolute(command.from);
  const std::string to = absolute(command.to);
  if (from == "/") throw Ended{exit_usage, "/ cannot be moved"};
  expect_apart(from, to);
  settings_.catch_interrupts();
  Gathered gathered;
  const Parents parents = command.parents ? Parents::are_created : Parents::must_exist;
  if (move_at_once(client_(), from, to, parents, gathered) == Moved::none_too_large) {
    if (command.in_parts) return move_in_parts(command, from, to);
    throw Ended{exit_other, from + " does not fit into one transaction (" +
                                std::to_string(moved_nodes_max) +
                                " nodes by default): nothing was moved; --in-parts copies it in "
                                "parts and then deletes it"};
  }
  const std::uint64_t nodes = gathered.nodes.size();
  out_ << (json_ ? json_line(moved_json(nodes, true)) : moved_text(nodes, true));
}

void Runner::move_in_parts(const Move& command, const std::string& from, const std::string& to) {
  SubtreeWriter::Settings settings;
  settings.top = to;
  settings.parents = command.parents;
  settings.is_interrupted = [] { return interrupted.load(); };
  Progress progress(STDERR_FILENO);
  const std::uint64_t nodes = copy_unchanged(client_(), from, settings, progress);
  SubtreeRemoval removal(client_(), from, wire::any_version,
                         [&](const SubtreeRemoval::Nodes& left) {
                           progress.show("deleted " + std::to_string(left.deleted) + " nodes, " +
                                         std::to_string(left.left) + " left");
                           return !interrupted;
                         });
  const SubtreeRemoval::Outcome outcome = removal.run();
  progress.clear();
  if (outcome.failure || outcome.interrupted) {
    err_ << to << " is complete; `rm -r` deletes the rest of " << from << '\n';
  }
  if (outcome.failure) {
    throw Refused{outcome.failure->error, outcome.failure->path, Effect::write, outcome.zxid};
  }
  if (outcome.interrupted) throw Ended{exit_interrupted, "interrupted"};
  out_ << (json_ ? json_line(moved_json(nodes, false)) : moved_text(nodes, false));
}

}  // namespace shell
