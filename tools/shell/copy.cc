#include <string>
#include <unistd.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "tools/shell/copying.h"
#include "tools/shell/print.h"
#include "tools/shell/progress.h"
#include "tools/shell/requests.h"
#include "tools/shell/subtree_writer.h"

namespace shell {
namespace {

// How often a subtree is read at most, if it changes each time.
constexpr int copy_attempts_max = 5;

struct CopyResult {
  std::uint64_t nodes = 0;
  bool is_atomic = false;  // all were created in one transaction
  std::uint64_t changes = 0;
  wire::Zxid zxid;  // the state that was copied, if there were no changes
};

std::string copy_text(const CopyResult& result) {
  std::string text =
      "copied " + std::to_string(result.nodes) + (result.nodes == 1 ? " node" : " nodes");
  text += result.is_atomic ? " in one transaction" : " in many transactions";
  if (result.changes == 0) return text + ", as of " + wire::to_hex(result.zxid) + '\n';
  return text + ", not exact: " + std::to_string(result.changes) +
         (result.changes == 1 ? " change was" : " changes were") + " made meanwhile\n";
}

nlohmann::json copy_json(const CopyResult& result) {
  return {{"nodes", result.nodes},
          {"atomic", result.is_atomic},
          {"exact", result.changes == 0},
          {"zxid", wire::to_hex(result.zxid)},
          {"changes", result.changes}};
}

enum class Depth : std::uint8_t { node, subtree };

// Copies one node, or one subtree.
class CopyRun {
 public:
  CopyRun(zabkeeper::Client& client, std::string from, std::string to, Parents parents)
      : client_(client), from_(std::move(from)), to_(std::move(to)), parents_(parents) {}

  CopyResult run(Depth depth) {
    for (int attempt = 1;; ++attempt) {
      SubtreeReader reader(client_, from_, {true, false, [] { return interrupted.load(); }});
      CopyResult result;
      result.zxid = reader.begin();
      Gathered gathered =
          depth == Depth::subtree ? gather(reader, operations_max) : Gathered{reader.next()};
      has_left_children_ = depth == Depth::node && reader.has_more();
      result.changes = reader.changes();
      if (gathered.is_whole && result.changes > 0 && attempt < copy_attempts_max) continue;
      if (!gathered.is_whole || !copied_at_once(gathered)) copy_on(gathered, reader);
      result.changes = gathered.is_whole ? result.changes : reader.changes();
      result.nodes = nodes_;
      result.is_atomic = is_atomic_;
      remarks_ = reader.remarks();
      return result;
    }
  }
  [[nodiscard]] bool has_left_children() const { return has_left_children_; }
  [[nodiscard]] const SubtreeReader::Remarks& remarks() const { return remarks_; }
  // The number of nodes that are certainly copied.
  [[nodiscard]] std::uint64_t nodes() const { return nodes_; }

 private:
  // Returns false, and has done nothing, if the copy is too large for one transaction of this
  // server.
  bool copied_at_once(const Gathered& gathered) {
    expect_visible_acls(gathered.nodes, from_);
    const Transacted done = transact(client_, copy_request(gathered.nodes, to_, parents_));
    if (done.error && done.error->code == wire::ErrorCode::too_large) return false;
    if (done.error) {
      Refused refused{*done.error, done.path, Effect::write, done.zxid};
      if (done.error->code == wire::ErrorCode::no_node) refused.hint = "-p creates missing parents";
      throw refused;
    }
    is_atomic_ = true;
    nodes_ = gathered.nodes.size();
    return true;
  }
  void copy_on(Gathered& gathered, SubtreeReader& reader) {
    SubtreeWriter::Settings settings;
    settings.top = to_;
    settings.parents = parents_ == Parents::are_created;
    settings.is_interrupted = [] { return interrupted.load(); };
    SubtreeWriter writer(client_, settings);
    Progress progress(STDERR_FILENO);
    for (auto nodes = std::move(gathered.nodes); !nodes.empty(); nodes = reader.next()) {
      expect_visible_acls(nodes, from_);
      for (NodeCopy& node : nodes) writer.add(std::move(node));
      nodes_ = writer.counts().created;
      progress.show("copied " + std::to_string(nodes_) + " nodes");
      if (gathered.is_whole) break;
    }
    writer.finish();
    nodes_ = writer.counts().created;
  }

  zabkeeper::Client& client_;
  const std::string from_;
  const std::string to_;
  const Parents parents_;
  std::uint64_t nodes_ = 0;
  bool is_atomic_ = false;
  bool has_left_children_ = false;
  SubtreeReader::Remarks remarks_;
};

}  // namespace

void Runner::on(const Copy& command) {
  const std::string from = absolute(command.from);
  const std::string to = absolute(command.to);
  const Parents parents = command.parents ? Parents::are_created : Parents::must_exist;
  if (command.recursive || from == to) expect_apart(from, to);
  settings_.catch_interrupts();
  CopyRun copying(client_(), from, to, parents);
  CopyResult result;
  try {
    result = copying.run(command.recursive ? Depth::subtree : Depth::node);
  } catch (...) {
    if (copying.nodes() > 0) {
      err_ << to << ": " << copying.nodes() << (copying.nodes() == 1 ? " node is" : " nodes are")
           << " copied; `rm -r` removes what is there\n";
    }
    throw;
  }
  out_ << (json_ ? json_line(copy_json(result)) : copy_text(result));
  if (copying.has_left_children()) {
    err_ << from << ": the nodes below it are not copied; -r copies them too\n";
  }
  remark_on(copying.remarks(), from);
}

}  // namespace shell
