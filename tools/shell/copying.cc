#include "tools/shell/copying.h"

#include <iterator>
#include <ranges>
#include <variant>

#include "tools/shell/refused.h"

namespace shell {
namespace {

constexpr std::size_t gathered_bytes_max = std::size_t{16} << 20;

bool is_below(const std::string& path, const std::string& top) {
  return top == "/" || path.starts_with(top + '/');
}

wire::CheckRequest unchanged(const NodeCopy& node, const std::string& from) {
  wire::CheckRequest check;
  check.path = path_below(from, node.path);
  check.tests.mzxid = node.mzxid;
  return check;
}

std::string path_of(const wire::MultiOp& op) {
  return std::visit([](const auto& each) { return each.path; }, op);
}

}  // namespace

Gathered gather(SubtreeReader& reader, std::size_t nodes_max) {
  Gathered gathered;
  std::size_t bytes = 0;
  for (auto nodes = reader.next(); !nodes.empty(); nodes = reader.next()) {
    for (const NodeCopy& node : nodes) bytes += bytes_of(node);
    std::ranges::move(nodes, std::back_inserter(gathered.nodes));
    if (gathered.nodes.size() > nodes_max || bytes > gathered_bytes_max) {
      gathered.is_whole = false;
      break;
    }
  }
  return gathered;
}

void expect_apart(const std::string& from, const std::string& to) {
  if (from != to && !is_below(to, from)) return;
  throw Ended{exit_usage, to + (from == to ? " is the same node" : " is below " + from)};
}

void expect_visible_acls(const std::vector<NodeCopy>& nodes, const std::string& from) {
  for (const NodeCopy& node : nodes) {
    if (!node.acl || !has_hidden_hash(*node.acl)) continue;
    throw Ended{exit_no_auth, path_below(from, node.path) +
                                  ": its ACL has a hash that the server does not show to this "
                                  "client, so it cannot be copied; use --auth"};
  }
}

wire::MultiRequest copy_request(const std::vector<NodeCopy>& nodes, const std::string& to,
                                Parents parents) {
  wire::MultiRequest request;
  for (const NodeCopy& node : nodes) {
    const bool is_top = node.path == top_of_subtree;
    request.ops.emplace_back(
        create_request(node, path_below(to, node.path), is_top ? parents : Parents::must_exist));
  }
  return request;
}

wire::MultiRequest move_request(const std::vector<NodeCopy>& nodes, const std::string& from,
                                const std::string& to, Parents parents) {
  wire::MultiRequest request;
  for (const NodeCopy& node : nodes) request.ops.emplace_back(unchanged(node, from));
  std::ranges::move(copy_request(nodes, to, parents).ops, std::back_inserter(request.ops));
  for (const NodeCopy& node : std::views::reverse(nodes)) {
    request.ops.emplace_back(wire::DeleteRequest{path_below(from, node.path)});
  }
  return request;
}

Transacted transact(zabkeeper::Client& client, const wire::MultiRequest& request) {
  auto reply = client.ask(request);
  Transacted done;
  done.zxid = reply.zxid;
  if (reply.result.has_error()) {
    done.error = reply.result.error();
  } else if (const auto* multi = std::get_if<wire::MultiReply>(&*reply.result);
             multi != nullptr && multi->failed) {
    done.error = multi->results[*multi->failed].error();
    done.path = path_of(request.ops[*multi->failed]);
  }
  return done;
}

}  // namespace shell
