#include "tools/shell/only_request.h"

#include "tools/shell/words.h"

namespace shell {
namespace {

// Whether the data are not the argument itself: see Runner::read_data.
bool is_elsewhere(const std::string& argument) {
  return argument == "-" || argument.starts_with('@');
}

// Each `of` returns the command's request, or nothing.
struct OnlyRequest {
  std::optional<wire::Request> of(const Get& get) const {
    return wire::GetRequest{absolute(get.path), {}};
  }
  std::optional<wire::Request> of(const Set& set) const {
    if (is_elsewhere(set.data)) return std::nullopt;
    return wire::SetRequest{absolute(set.path), set.data, set.version, set.create};
  }
  std::optional<wire::Request> of(const Create& create) const {
    if (is_elsewhere(create.data)) return std::nullopt;
    return wire::CreateRequest{path_of_new(create, absolute(create.path)),
                               create.data,
                               create.ephemeral,
                               create.sequential,
                               create.container,
                               create.parents,
                               create.ttl_ms,
                               {}};
  }
  std::optional<wire::Request> of(const Delete& remove) const {
    if (remove.recursive) return std::nullopt;  // may need several requests
    return wire::DeleteRequest{absolute(remove.path), remove.version, false};
  }
  std::optional<wire::Request> of(const ShowStat& stat) const {
    return wire::ExistsRequest{absolute(stat.path), {}};
  }
  std::optional<wire::Request> of(const Count& count) const {
    return wire::CountRequest{absolute(count.path), {}};
  }

  std::string absolute(const std::string& path) const { return resolve(cwd, path); }

  const std::string& cwd;
};

}  // namespace

std::optional<wire::Request> only_request(const Command& command, const std::string& cwd) {
  const OnlyRequest only{cwd};
  return std::visit(
      [&](const auto& each) -> std::optional<wire::Request> {
        if constexpr (requires { only.of(each); }) return only.of(each);
        return std::nullopt;
      },
      command);
}

std::string path_of_new(const Create& create, std::string resolved) {
  if (create.sequential && create.path.ends_with('/') && !resolved.ends_with('/')) resolved += '/';
  return resolved;
}

}  // namespace shell
