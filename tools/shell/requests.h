#pragma once

#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "tools/shell/runner.h"

// How the commands of a Runner send requests.
namespace shell {

template <typename Request>
inline constexpr Effect effect_of =
    std::is_same_v<Request, wire::CreateRequest> || std::is_same_v<Request, wire::SetRequest> ||
            std::is_same_v<Request, wire::DeleteRequest> ||
            std::is_same_v<Request, wire::SetAclRequest> ||
            std::is_same_v<Request, wire::MultiRequest>
        ? Effect::write
        : Effect::read;

template <typename Request>
zabkeeper::ReplyOf<Request> Runner::ask(Request request, const std::string& path, Echo echo) {
  zabkeeper::AnyReply reply =
      answered_ ? take_answer(wire::Request(std::move(request))) : send(std::move(request));
  last_zxid_ = reply.zxid;
  if (reply.result.has_error()) {
    throw Refused{reply.result.error(), path, effect_of<Request>, reply.zxid};
  }
  if (json_ && echo == Echo::as_json) print_json(wire::Reply{{}, reply.zxid, {}, reply.result});
  return std::get<zabkeeper::ReplyOf<Request>>(std::move(*reply.result));
}

}  // namespace shell
