#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/sim/service/model.h"
#include "wire/zxid.h"

namespace sim {

// The life of one item of a queue, as the log says.
struct QueueItem {
  std::size_t claims = 0;     // so often was it claimed
  wire::Zxid claim;           // the present claim; zero: none
  wire::SessionId holder;     // of that claim
  std::string taker;          // the id of its take
  wire::Zxid done;            // the transaction that deleted it; zero: none
  wire::Zxid done_claim;      // the claim that was deleted with it
  bool is_disturbed = false;  // an operator has deleted a claim of it
};

// What the log says of the items of the queue at `queue_path`. Violation `queue`: two items have
// the same data; an item is deleted by a session that does not hold it; an item has two claims; or
// an item is claimed by a taker that is not the first one in the line, or stays in it.
class QueueLog {
 public:
  explicit QueueLog(const Model& model) : model_(model) {}

  // Reads all transactions that are committed now.
  void read();
  // The item at this path. It was put.
  [[nodiscard]] const QueueItem& item(const std::string& path) const { return items_.at(path); }
  [[nodiscard]] bool has_item(const std::string& path) const { return items_.contains(path); }
  // The first item without a claim in this state, in the order in which items are handed out; only
  // of those before `end`, which may be empty.
  [[nodiscard]] std::optional<std::string> first_free(const View& state,
                                                      const std::string& end) const;
  // The take has failed. If it could not delete its claim, the claim stays as long as its session.
  void abandon_claims_of(const std::string& taker);
  // Whether an item is left that can be taken, now or when its taker gives it back.
  [[nodiscard]] bool has_open_items() const;

 private:
  void on_transaction(wire::Zxid zxid, const Event& event);
  void on_put(const std::string& path, wire::Zxid zxid);
  void on_claimed(const std::string& path, wire::Zxid zxid, const Event& event);
  void on_deleted(const std::string& path, wire::Zxid zxid, const Event& event);
  void check_line(const std::string& id, wire::Zxid zxid) const;

  const Model& model_;
  wire::Zxid read_to_;
  std::map<std::string, QueueItem> items_;      // by path
  std::map<wire::Bytes, std::string> by_data_;  // their paths
  std::set<wire::Zxid> abandoned_;
};

inline constexpr const char* queue_path = "/queue";

}  // namespace sim
