#include "tools/shell/node_names.h"

#include <chrono>
#include <cstdint>

#include "tools/shell/words.h"
#include "wire/terminal_text.h"

namespace shell {
namespace {

constexpr std::chrono::seconds patience{2};
constexpr std::uint32_t names_max = 500;
constexpr const char* last_character = "\xf4\x8f\xbf\xbf";  // U+10FFFF

}  // namespace

std::vector<std::string> node_names(zabkeeper::Client& client, const std::string& cwd,
                                    const std::string& typed) {
  const std::size_t slash = typed.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : typed.substr(0, slash + 1);
  const std::string begun = typed.substr(folder.size());
  std::vector<std::string> paths;
  const auto add = [&](const std::string& name, const std::optional<wire::Stat>& stat) {
    // readline prints names unescaped, so a name that the terminal would interpret is left out.
    if (!name.starts_with(begun) || wire::terminal_text(name) != name) return;
    const bool has_children = stat && stat->num_children > 0;
    paths.push_back(folder + name + (has_children ? "/" : ""));
  };
  wire::ChildrenRequest request;
  request.path = resolve(cwd, folder.empty() ? "." : folder);
  request.with_stat = true;
  request.limit = names_max;
  const auto calls = client.within(patience);
  if (!begun.empty()) {
    // `after` excludes the typed name itself, so it is requested here.
    const auto exact = calls.exists(join(request.path, begun));
    if (exact && exact->stat) add(begun, exact->stat);
    request.after = begun;
    request.before = begun + last_character;
  }
  const auto first = calls.call(request);
  if (!first) return paths;
  for (const wire::Child& child : first->children) add(child.name, child.stat);
  if (first->more) {
    request.after.reset();
    request.reverse = true;
    request.limit = 1;
    const auto last = calls.call(request);
    if (last && !last->children.empty()) add(last->children[0].name, last->children[0].stat);
  }
  return paths;
}

}  // namespace shell
