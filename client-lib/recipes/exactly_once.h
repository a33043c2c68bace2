#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "client-lib/recipes/recipe_actions.h"
#include "wire/bytes.h"
#include "wire/replies.h"
#include "wire/requests.h"
#include "wire/result.h"

namespace zabkeeper {

// What the receipt of an owner says: which of its operations was carried out last.
struct Receipt {
  std::uint64_t number = 0;  // 0: none
  wire::Bytes result;        // of this operation

  bool operator==(const Receipt&) const = default;
};

struct ExactlyOnceOptions {
  std::string folder;  // the parent of the receipts; created if it is missing
  std::string id;      // of the owner, and the name of its receipt
  std::int64_t receipt_ttl_ms = 0;
  // A node that each operation reads and sets: the folder. Otherwise operations only have the
  // receipt in common.
  bool sets_folder = false;
};

// An operation of an owner: writes that happen together with a change of its receipt.
struct OwnedWrite {
  std::uint64_t number = 0;
  wire::Bytes result;                      // for the receipt
  std::optional<wire::Bytes> folder = {};  // new data of the folder
  std::vector<wire::MultiOp> ops = {};
};

// Carries out the operations of one owner, each exactly once. A part of recipes, and a pure value
// as they are.
//
// Each operation is one multi. It sets the receipt to the number of the operation. Its conditions
// are the mzxids of the nodes that it sets, as they were read. So it makes no difference how often
// the multi is sent, in which session, and how late a copy arrives:
// - A copy that is carried out gives the receipt a new mzxid. Then the conditions of all other
//   copies do not hold any more, of this operation and of earlier ones.
// - A read may be stale, also a linearizable one, because an old copy may be carried out after it.
//   So no read decides that an operation was not done. The next copy decides it: either it is
//   carried out, or `else` reads the nodes at that place in the order of all writes.
//
// The receipt is a TTL node. If it is gone, no copy is carried out any more. But it is not known
// whether one was.
class ExactlyOnce {
 public:
  // The nodes are read, and the operation is not carried out (yet): call `write`.
  struct Ready {
    bool operator==(const Ready&) const = default;
  };
  // The operation is carried out. `receipt` has its result.
  struct Done {
    bool operator==(const Done&) const = default;
  };
  struct Failed {
    wire::Error error;
    bool may_be_done = false;
    bool operator==(const Failed&) const = default;
  };
  using Step = std::variant<std::monostate, Ask, Pause, Ready, Done, Failed>;

  explicit ExactlyOnce(ExactlyOnceOptions options);

  // Only reads, and creates what is missing: Ready follows.
  [[nodiscard]] Step inspect();
  // Begins an operation, or begins it again: Ready or Done follows.
  [[nodiscard]] Step begin(std::uint64_t number);
  // After Ready.
  [[nodiscard]] Step write(OwnedWrite write);

  [[nodiscard]] Step replied(std::uint64_t number, const wire::Result<wire::ReplyBody>& result);
  [[nodiscard]] Step session_lost();
  [[nodiscard]] Step again();
  // There is no further session: the operation fails.
  [[nodiscard]] Step give_up(wire::Error why);

  [[nodiscard]] bool is_idle() const { return phase_ == Phase::idle; }
  // A copy of the operation may be carried out, or may be carried out later.
  [[nodiscard]] bool may_be_done() const { return unknown_since_.has_value(); }
  // For an Ask of the recipe itself.
  [[nodiscard]] std::uint64_t next_number() { return ++last_; }

  // As they were last read or set.
  [[nodiscard]] const Receipt& receipt() const { return receipt_; }
  [[nodiscard]] const wire::Bytes& folder() const { return folder_; }

 private:
  enum class Phase : std::uint8_t { idle, reading, creating, writing, paused };
  using Result = wire::Result<wire::ReplyBody>;

  [[nodiscard]] Step ask(Phase phase, wire::Request request,
                         std::vector<wire::Condition> conditions = {});
  [[nodiscard]] Step read();
  [[nodiscard]] Step create();
  [[nodiscard]] Step on_read(const Result& result);
  [[nodiscard]] Step on_created(const Result& result);
  [[nodiscard]] Step on_written(const Result& result);
  [[nodiscard]] Step on_found(const wire::MultiReply& reply);
  [[nodiscard]] Step on_refused(const Result& result);
  // Compares the operation with the receipt.
  [[nodiscard]] Step settle();
  [[nodiscard]] Step fail(wire::Error error);
  [[nodiscard]] std::vector<wire::MultiOp> reads() const;

  ExactlyOnceOptions options_;
  std::string path_;  // of the receipt
  Phase phase_ = Phase::idle;
  std::uint64_t last_ = 0;         // number of an Ask
  std::uint64_t outstanding_ = 0;  // the Ask whose reply counts; 0: none
  bool is_known_ = false;          // the next four are those of the last reply
  Receipt receipt_;
  wire::Stat receipt_stat_;
  wire::Bytes folder_;
  wire::Zxid folder_mzxid_;
  bool is_inspecting_ = false;
  std::uint64_t operation_ = 0;  // the number of the present or last operation
  OwnedWrite write_;             // of it, while it is sent
  // The czxid of the receipt when a multi of this operation was sent, and its reply was lost.
  std::optional<wire::Zxid> unknown_since_;
};

}  // namespace zabkeeper
