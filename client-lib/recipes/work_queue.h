#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace zabkeeper {

// In which order the items of a queue are handed out.
enum class ItemOrder : std::uint8_t {
  put,  // in which they were put
  due,  // of their due times; those of equal times in which they were put
};

// A queue of items that programs put and take: QueueProducer puts, QueueTake takes. Its nodes:
//   <path>/items/item-<number>                 an item, with its data
//   <path>/items/<due time>-item-<number>      the same, of a queue with delays
//   <path>/items/<item>/claim                  ephemeral: its session has taken the item
//   <path>/takers/<id>-taker-<number>          ephemeral: a taker in the line of those that wait
//   <path>/puts/<id>                           the receipt of a producer, a TTL node
struct WorkQueue {
  std::string path;
  ItemOrder order = ItemOrder::put;

  [[nodiscard]] std::string items() const;
  [[nodiscard]] std::string takers() const;
  [[nodiscard]] std::string puts() const;
  // The path of a new item, without its number. `due_ms`: from 0 on.
  [[nodiscard]] std::string new_item(std::int64_t due_ms) const;
};

// The due time in the name of an item, in milliseconds. Nothing for other names.
[[nodiscard]] std::optional<std::int64_t> due_time_of(std::string_view name);

// A queue: items are handed out in the order in which they were put.
[[nodiscard]] WorkQueue work_queue(std::string path);
// A queue with delays: no item is handed out before its due time. A path has one kind of queue.
[[nodiscard]] WorkQueue delay_queue(std::string path);

}  // namespace zabkeeper
