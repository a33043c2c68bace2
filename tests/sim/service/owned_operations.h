#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tests/sim/service/model.h"
#include "wire/zxid.h"

namespace sim {

// The number of the last operation that a receipt names: "7 result". 0 if there is no receipt.
[[nodiscard]] std::uint64_t number_in_receipt(const Znode* receipt);

// The numbered operations of one owner of a recipe that uses ExactlyOnce: what the recipe tells of
// them, compared with what the log says. Throws a Violation if they differ:
//   - an operation is carried out twice, or after a later one, or was not begun;
//   - it is told as done, and was not carried out;
//   - it fails without `may_be_done`, and was carried out, or is carried out later.
class OwnedOperations {
 public:
  // `checker`: the name of the violation.
  OwnedOperations(std::string checker, std::string owner)
      : checker_(std::move(checker)), owner_(std::move(owner)) {}

  void begin(std::uint64_t number);
  [[nodiscard]] std::uint64_t last() const { return last_; }  // that was begun; 0: none
  // Whether it is not told as done: then it may begin again.
  [[nodiscard]] bool is_last_open() const { return last_ > 0 && !operations_.at(last_).is_told; }
  [[nodiscard]] bool is_carried_out(std::uint64_t number) const {
    return carried_out_by(number).has_value();
  }
  // The recipe's value is replaced by another one. `may_be_done` does not know of the former one.
  void on_restart();
  void on_carried_out(std::uint64_t number, wire::Zxid zxid);
  // Of this and the next one: the log must have been read up to now.
  void on_done(std::uint64_t number);
  void on_failed(std::uint64_t number, bool may_be_done);

  // The transaction that has carried the operation out.
  [[nodiscard]] std::optional<wire::Zxid> carried_out_by(std::uint64_t number) const;

 private:
  struct Operation {
    std::optional<wire::Zxid> carried_out_by;
    bool is_told = false;            // as done
    bool is_refused = false;         // it failed without `may_be_done`
    bool is_begun_by_other = false;  // by a former value of the recipe
  };

  [[noreturn]] void fail(std::uint64_t number, const std::string& what) const;

  std::string checker_;
  std::string owner_;
  std::map<std::uint64_t, Operation> operations_;  // those that were begun
  std::uint64_t last_ = 0;
  std::uint64_t last_carried_out_ = 0;
};

}  // namespace sim
