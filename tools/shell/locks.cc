
#include <nlohmann/json.hpp>

#include "client-lib/recipes/queue.h"
#include "tools/shell/omissions.h"
#include "tools/shell/print.h"
#include "tools/shell/queue_places.h"
#include "tools/shell/requests.h"
#include "tools/shell/tree_walk.h"
#include "tools/shell/words.h"
#include "wire/base64.h"
#include "wire/utf8.h"

// The command that shows who holds a lock, and who waits for it.
namespace shell {
namespace {

constexpr std::uint32_t queue_page_nodes = 500;

struct QueuedNode {
  const std::string& lock;
  const wire::Child& child;
  QueuePlaces::Place place;
};

Row queue_row(const QueuedNode& node) {
  const wire::Stat& stat = *node.child.stat;
  return {node.place.holds ? "holds" : "waits",
          node.place.holds ? "" : std::to_string(node.place.ahead),
          time_text(stat.ctime),
          stat.ephemeral_owner.none() ? "-" : wire::to_hex(stat.ephemeral_owner.value),
          join(node.lock, node.child.name),
          node.child.data ? data_in_a_line(*node.child.data) : ""};
}

nlohmann::json queue_json(const QueuedNode& node) {
  const wire::Stat& stat = *node.child.stat;
  nlohmann::json object{{"lock", node.lock},         {"node", join(node.lock, node.child.name)},
                        {"holds", node.place.holds}, {"ahead", node.place.ahead},
                        {"ctime", stat.ctime},       {"token", wire::to_hex(stat.czxid)},
                        {"session", nullptr}};
  if (!stat.ephemeral_owner.none()) object["session"] = wire::to_hex(stat.ephemeral_owner.value);
  const wire::Bytes data = node.child.data.value_or(wire::Bytes());
  // The same fields as for data in the protocol.
  if (wire::is_utf8(data)) {
    object["data"] = std::string(data);
  } else {
    object["data64"] = "";
    wire::append_base64(data, object["data64"].get_ref<std::string&>());
  }
  return object;
}

}  // namespace

// All nodes of the queue of `path`, in their order. Returns how many there are.
std::size_t Runner::show_queue(const std::string& path, Table& table, std::vector<Row>& rows) {
  const wire::Consistency newest = wire::Linearizable{};
  const wire::GetReply parent = ask(wire::GetRequest{path, {newest}}, path, Echo::quiet);
  QueuePlaces places(zabkeeper::limit_of(parent.data));
  wire::ChildrenRequest request{path, true, true, {}, queue_page_nodes, {newest}};
  request.order = wire::ChildOrder::sequence;
  std::size_t count = 0;
  for (;;) {
    const wire::ChildrenReply reply = ask(request, path, Echo::quiet);
    for (const wire::Child& child : reply.children) {
      const auto place = places.next(child.name);
      if (!place || !child.stat) continue;
      count += 1;
      const QueuedNode node{path, child, *place};
      if (json_) {
        out_ << json_line(queue_json(node));
      } else if (common_.format == Format::raw) {
        out_ << raw_line(queue_row(node));
      } else {
        rows.push_back(queue_row(node));
      }
    }
    if (common_.format == Format::table && count > 0 && !rows.empty()) {
      out_ << table.text(rows);
      rows.clear();
    }
    if (!reply.more || reply.children.empty()) return count;
    request.after = reply.children.back().name;
  }
}

void Runner::on(const Locks& locks) {
  const std::string path = absolute(locks.path);
  Table table({false, true, false, false, false, false});
  std::vector<Row> rows{{"STATE", "AHEAD", "ASKED AT", "SESSION", "NODE", "DATA"}};
  std::size_t count = show_queue(path, table, rows);
  if (locks.recursive) {
    Omissions omissions(err_);
    TreeWalk walk(client_(), path, {}, omissions);
    (void)walk.next();  // `path` itself
    while (const auto node = walk.next()) {
      if (!node->has_children()) continue;
      try {
        count += show_queue(node->path, table, rows);
      } catch (const Refused& refused) {
        omissions.add(refused, node->path);
      }
    }
    exit_code_ = omissions.finish();
  }
  if (count > 0) return;
  err_ << path << ": nobody holds, and nobody waits";
  if (!locks.recursive) err_ << "; -R looks at all nodes below it too";
  err_ << '\n';
}

}  // namespace shell
