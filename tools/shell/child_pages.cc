#include "tools/shell/child_pages.h"

#include <utility>
#include <variant>

#include "tools/shell/refused.h"

namespace shell {
namespace {

constexpr std::uint32_t page_children = 1'000;

}  // namespace

ChildPages::ChildPages(const zabkeeper::Client& client, std::string path, Want want)
    : client_(&client),
      request_{std::move(path), want.stat, want.data, std::move(want.after), page_children, {}},
      begun_(std::in_place, client, request_) {}

ChildPages::Page ChildPages::next() {
  zabkeeper::AnyReply reply = begun_->take();
  begun_.reset();
  if (reply.result.has_error()) {
    throw Refused{reply.result.error(), request_.path, Effect::read, reply.zxid};
  }
  Page page{std::get<wire::ChildrenReply>(std::move(*reply.result)), reply.zxid};
  if (page.reply.children.empty()) page.reply.more = false;
  if (page.reply.more) {
    request_.after = page.reply.children.back().name;
    begun_.emplace(*client_, request_);
  }
  return page;
}

}  // namespace shell
