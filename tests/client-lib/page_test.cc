#include <algorithm>
#include <cstddef>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/client-lib/client_page.h"
#include "tests/client-lib/scripted_server.h"
#include "tests/support/sources.h"

namespace zabkeeper {
namespace {

// The texts between the lines `begin` and `end` of a file, without what all their lines are
// indented by.
std::vector<std::string> blocks_of(const std::string& path, const std::string& begin,
                                   const std::string& end) {
  std::ifstream file(support::source(path));
  std::vector<std::string> blocks;
  std::string line;
  bool inside = false;
  std::size_t indentation = 0;
  while (std::getline(file, line)) {
    const std::size_t text = std::min(line.find_first_not_of(' '), line.size());
    if (!inside && line.substr(text) == begin) {
      inside = true;
      indentation = text;
      blocks.emplace_back();
    } else if (inside && line.substr(text) == end) {
      inside = false;
    } else if (inside) {
      blocks.back() += line.substr(std::min(indentation, text)) + '\n';
    }
  }
  return blocks;
}

TEST_CASE("the examples of docs/client.md are those that are compiled") {
  auto on_page = blocks_of("docs/client.md", "```cpp", "```");
  auto compiled = blocks_of("tests/client-lib/client_page.cc", "// page", "// end");
  for (auto& block : blocks_of("tests/client_recipes/client_recipes.cc", "// page", "// end")) {
    compiled.push_back(std::move(block));
  }
  CHECK(!on_page.empty());
  std::ranges::sort(on_page);
  std::ranges::sort(compiled);
  CHECK(on_page == compiled);
}

TEST_CASE("the C++ programs of README.md are those that are compiled") {
  std::vector<std::string> compiled;
  for (const std::string name : {"lock", "election", "config"}) {
    for (std::string& block :
         blocks_of("tests/client_programs/" + name + ".cc", "// page", "// end")) {
      compiled.push_back(std::move(block));
    }
  }
  CHECK(blocks_of("README.md", "```cpp", "```") == compiled);
}

// A tree of nodes that can be created, set and read.
struct SmallTree {
  std::optional<wire::Result<wire::ReplyBody>> answer(const wire::ClientRequest& request) {
    if (const auto* create = std::get_if<wire::CreateRequest>(&request.request)) {
      data[create->path] = create->data;
      wire::CreateReply reply{create->path, {}};
      if (create->turn) reply.turn = true;
      return wire::ReplyBody(reply);
    }
    if (const auto* remove = std::get_if<wire::DeleteRequest>(&request.request)) {
      data.erase(remove->path);
      return wire::ReplyBody(wire::EmptyReply{});
    }
    if (std::holds_alternative<wire::WatchRequest>(request.request)) {
      return wire::ReplyBody(wire::WatchReply{request.id, wire::Stat{}});
    }
    if (std::holds_alternative<wire::ChildrenRequest>(request.request)) {
      return wire::ReplyBody(wire::ChildrenReply{});
    }
    if (const auto* set = std::get_if<wire::SetRequest>(&request.request)) {
      data[set->path] = set->data;
      return wire::ReplyBody(wire::SetReply{});
    }
    if (const auto* get = std::get_if<wire::GetRequest>(&request.request);
        get != nullptr && get->path == "/services") {
      return wire::ReplyBody(wire::GetReply{});
    }
    const auto* get = std::get_if<wire::GetRequest>(&request.request);
    if (get == nullptr || !data.contains(get->path)) {
      return wire::Error{ErrorCode::no_node, "it does not exist"};
    }
    return wire::ReplyBody(wire::GetReply{data.at(get->path), {}});
  }
  std::map<std::string, wire::Bytes> data;
};

TEST_CASE("the examples of docs/client.md do what the page says") {
  SmallTree tree;
  const auto script =
      serve([&](const wire::ClientRequest& request) { return tree.answer(request); });
  ScriptedServer server({script, script, script, script, script, script, script, script});
  const std::string urls = server.endpoint().url();
  client_page::blocking(urls);
  CHECK(tree.data["/app"] == "v2");
  client_page::update_app(urls);
  CHECK(tree.data["/app"] == "v2!");
  client_page::use_values(urls);
  client_page::deadline(urls);
  client_page::locks(urls);
  CHECK(tree.data["/report"].starts_with("made by /locks/report/"));
  client_page::observers(urls);
  client_page::caches(urls);
  client_page::data(urls);
  CHECK(tree.data["/settings"] == R"({"colour":"blue","size":3})");
}

}  // namespace
}  // namespace zabkeeper
