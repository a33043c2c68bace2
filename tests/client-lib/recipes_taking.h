#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "client-lib/recipes/queue_take.h"
#include "tests/client-lib/recipes_text.h"

namespace zabkeeper {

struct TakeText {
  std::string operator()(const Ask& ask) const { return RecipeText()(ask); }
  std::string operator()(const Pause&) const { return "pause"; }
  std::string operator()(const Waiting&) const { return "waiting"; }
  std::string operator()(const Taken& taken) const {
    return "taken " + taken.path + " \"" + taken.data + "\" guard " +
           wire::to_string(*taken.claim.guard().tests.czxid);
  }
  std::string operator()(const WakeAt& wake) const {
    return "wake at " + std::to_string(wake.time_ms);
  }
  std::string operator()(const DoneRefused& refused) const {
    return "refused " + std::string(wire::name(refused.error.code));
  }
  std::string operator()(const Lost&) const { return "lost"; }
  std::string operator()(const TakeEnded& ended) const {
    static const char* const names[] = {"done", "given back", "cancelled", "lost", "failed"};
    std::string text = "ended: " + std::string(names[static_cast<std::size_t>(ended.how)]);
    if (ended.error) text += ' ' + std::string(wire::name(ended.error->code));
    return text;
  }
};

// An item as a list shows it.
struct ListedItem {
  std::string name;
  bool is_held = false;
};

// The name of an item of a work_queue.
inline std::string item_name(int number) { return "item-000000000" + std::to_string(number); }

// A take from /q, with its actions as text. Replies are for the last Ask, if no number is given.
class Taking {
 public:
  explicit Taking(WorkQueue queue = work_queue("/q"))
      : take_(std::move(queue), std::string(some_id)) {}

  std::string begin(std::int64_t now_ms = 0) { return told_.note(take_.begin(now_ms)); }
  std::string time_is(std::int64_t now_ms) { return told_.note(take_.time_is(now_ms)); }
  std::string done() { return told_.note(take_.done()); }
  std::string give_back() { return told_.note(take_.give_back()); }
  std::string connection_lost() { return told_.note(take_.connection_lost()); }
  std::string session_lost() { return told_.note(take_.session_lost()); }
  std::string deadline_passed() { return told_.note(take_.deadline_passed()); }
  std::string again() { return told_.note(take_.again()); }

  std::string reply(std::uint64_t number, const wire::Result<wire::ReplyBody>& body) {
    return told_.note(take_.replied(number, body, at(20)));
  }
  std::string reply(const wire::Result<wire::ReplyBody>& body) { return reply(told_.last(), body); }
  std::string fail(std::uint64_t number, wire::ErrorCode code) {
    return reply(number, wire::Error{code, "x"});
  }
  std::string fail(wire::ErrorCode code) { return fail(told_.last(), code); }
  // The reply to the create in the line, the first Ask.
  std::string in_line(bool is_first) {
    wire::Stat stat;
    stat.czxid = at(7);
    return reply(1,
                 wire::ReplyBody(wire::CreateReply{
                     "/q/takers/" + std::string(some_id) + "-taker-0000000003", stat, is_first}));
  }
  std::string listed(std::uint64_t number, const std::vector<ListedItem>& items,
                     bool more = false) {
    wire::ChildrenReply list;
    list.more = more;
    for (const ListedItem& item : items) {
      list.children.push_back({item.name, wire::Stat(), {}});
      list.children.back().stat->num_children = item.is_held ? 1 : 0;
    }
    return reply(number, wire::ReplyBody(list));
  }
  std::string listed(const std::vector<ListedItem>& items, bool more = false) {
    return listed(told_.last(), items, more);
  }
  std::string claimed() {
    wire::CreateReply claim{"/q/items/" + item_name(1) + "/claim", {}, {}};
    claim.stat.czxid = at(9);
    return reply(multi_reply({}, claim, node_with("work", 2, 2), wire::EmptyReply()));
  }
  std::string watched(std::optional<std::uint64_t> czxid) {
    wire::WatchReply watch;
    if (czxid) watch.stat.emplace().czxid = at(*czxid);
    return reply(wire::ReplyBody(watch));
  }
  std::string exists(std::optional<std::uint64_t> czxid) {
    wire::ExistsReply exists;
    if (czxid) exists.stat.emplace().czxid = at(*czxid);
    return reply(wire::ReplyBody(exists));
  }
  // An event of the watch that this Ask has set.
  std::string event(std::uint64_t number, wire::EventKind kind) {
    wire::WatchEvent event;
    event.kind = kind;
    return told_.note(take_.received(number, event));
  }
  [[nodiscard]] std::uint64_t last() const { return told_.last(); }
  QueueTake& operator*() { return take_; }

 private:
  QueueTake take_;
  Told<TakeText> told_;
};

// It is the first one in the line: Ask 2 lists the items, and Ask 3 watches its place.
inline Taking first_in_line() {
  Taking taking;
  taking.begin();
  taking.in_line(true);
  return taking;
}

// Ask 4 is the claim of item 1.
inline Taking claiming() {
  Taking taking = first_in_line();
  taking.listed(2, {{item_name(1)}});
  return taking;
}

// Ask 5 watches the claim.
inline Taking with_item() {
  Taking taking = claiming();
  taking.claimed();
  return taking;
}

}  // namespace zabkeeper
