#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "wire/cbor.h"
#include "wire/cbor_text.h"
#include "wire/fields.h"
#include "wire/utf8.h"

// Our own, because nlohmann's reader recurses without bound into strings of strings (a frame of
// 0x7f is enough), lets integers below -2^63 wrap around, and takes text that is not UTF-8.
namespace wire::cbor {
namespace {

double half_precision(std::uint64_t bits) {
  const auto exponent = static_cast<int>((bits >> 10) & 0x1f);
  const auto fraction = static_cast<double>(bits & 0x3ff);
  double value = std::ldexp(fraction, -24);
  if (exponent == 31) value = fraction == 0 ? INFINITY : NAN;
  if (exponent > 0 && exponent < 31) value = std::ldexp(fraction + 1024, exponent - 25);
  return (bits & 0x8000) == 0 ? value : -value;
}

// As JSON would have it: never to be taken for an integer.
std::string text_of(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  std::string text(digits, end.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Walks through a frame without recursion and tells a FieldsBuilder what is there.
class Walk {
 public:
  Walk(std::string_view in, FieldsOfFrame& frame)
      : in_(in), frame_(frame), builder_(Format::cbor, frame) {}

  void run() {
    do {
      if (!step()) return;
      while (!open_.empty() && open_.back().left == 0) {
        open_.pop_back();
        builder_.end();
      }
    } while (!open_.empty());
    if (at_ < in_.size()) broken(at_, "more comes behind the value");
  }

 private:
  static constexpr std::uint64_t indefinite = ~std::uint64_t{0};

  // An array or a map that has not ended.
  struct Level {
    Major major;
    std::uint64_t left;    // elements, keys and values; or indefinite
    bool has_key = false;  // and wants its value
  };
  // What every item begins with.
  struct Head {
    std::size_t at = 0;
    Major major{};
    unsigned info = 0;
    std::uint64_t argument = 0;  // indefinite if that is what it says

    [[nodiscard]] bool is_indefinite() const { return info == 31; }
  };

  // One item, or the break that ends the innermost array or map.
  bool step() {
    if (!open_.empty() && open_.back().left == indefinite && at_ < in_.size() &&
        static_cast<unsigned char>(in_[at_]) == break_byte) {
      Level& level = open_.back();
      if (level.has_key) return broken(at_, "a key without a value");
      ++at_;
      level.left = 0;
      return true;
    }

    Head head;
    if (!read(head)) return false;
    if (open_.empty()) return value(head);
    Level& level = open_.back();
    if (level.left != indefinite) --level.left;
    if (level.major == Major::array) return value(head);
    level.has_key = !level.has_key;
    return level.has_key ? key(head) : value(head);
  }

  bool read(Head& head) {
    head.at = at_;
    if (at_ == in_.size()) return broken(at_, "it ends too early");
    const auto initial = static_cast<unsigned char>(in_[at_++]);
    head.major = static_cast<Major>(initial >> 5);
    head.info = initial & 0x1f;
    head.argument = head.info;
    if (head.info < 24) return true;
    if (head.is_indefinite()) {
      head.argument = indefinite;
      const bool can_be = head.major == Major::bytes || head.major == Major::text ||
                          head.major == Major::array || head.major == Major::map;
      return can_be || broken(head.at, head.major == Major::simple ? "a break where nothing began"
                                                                   : "an unknown length");
    }
    if (head.info > 27) return broken(head.at, "an unknown length");

    const std::size_t size = std::size_t{1} << (head.info - 24);
    if (in_.size() - at_ < size) return broken(in_.size(), "it ends too early");
    head.argument = 0;
    for (std::size_t i = 0; i < size; ++i) {
      head.argument = head.argument << 8 | static_cast<unsigned char>(in_[at_++]);
    }
    return true;
  }

  bool key(const Head& head) {
    if (head.major != Major::text) return broken(head.at, "a key that is no text");
    std::string text;
    if (!string(head, text)) return false;
    builder_.key(text);
    return true;
  }

  bool value(const Head& head) {
    std::string text;
    switch (head.major) {
      case Major::positive:
        if (std::in_range<std::int64_t>(head.argument)) {
          return builder_.integer(static_cast<std::int64_t>(head.argument));
        }
        return builder_.number(std::to_string(head.argument));
      case Major::negative:
        if (std::in_range<std::int64_t>(head.argument)) {
          return builder_.integer(-1 - static_cast<std::int64_t>(head.argument));
        }
        // One more than the argument, which may not fit.
        return head.argument == ~std::uint64_t{0}
                   ? builder_.number("-18446744073709551616")
                   : builder_.number('-' + std::to_string(head.argument + 1));
      case Major::bytes: return string(head, text) && builder_.bytes(std::move(text));
      case Major::text: return string(head, text) && builder_.string(std::move(text));
      case Major::array: return begin(head, 1) && builder_.begin_array();
      case Major::map: return begin(head, 2) && builder_.begin_object();
      case Major::tag: return broken(head.at, "tags are not understood here");
      case Major::simple: return simple(head);
    }
    return false;
  }

  bool simple(const Head& head) {
    switch (head.info) {
      case 20: return builder_.boolean(false);
      case 21: return builder_.boolean(true);
      case 22:
      case 23: return builder_.null();  // null; undefined
      case 25: return number(half_precision(head.argument));
      case 26:
        return number(
            static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(head.argument))));
      case 27: return number(std::bit_cast<double>(head.argument));
      default: return broken(head.at, "a simple value that is not understood here");
    }
  }
  bool number(double value) {
    // JSON has no other than finite ones.
    return std::isfinite(value) ? builder_.number(text_of(value)) : builder_.null();
  }

  bool begin(const Head& head, std::uint64_t parts) {
    // Each element takes a byte at least, so that the product cannot overflow.
    if (!head.is_indefinite() && head.argument > in_.size() - at_) {
      return broken(in_.size(), "it ends too early");
    }
    const std::uint64_t left = head.is_indefinite() ? indefinite : head.argument * parts;
    open_.push_back({head.major, left, /*has_key=*/false});
    return true;
  }

  // Text or bytes, in one piece or in several.
  bool string(const Head& head, std::string& out) {
    if (!head.is_indefinite()) return piece(head, out);
    for (;;) {
      if (at_ < in_.size() && static_cast<unsigned char>(in_[at_]) == break_byte) {
        ++at_;
        return true;
      }
      Head next;
      if (!read(next)) return false;
      if (next.major != head.major || next.is_indefinite()) {
        return broken(next.at, "a piece of a string that is none");
      }
      if (!piece(next, out)) return false;
    }
  }
  bool piece(const Head& head, std::string& out) {
    if (head.argument > in_.size() - at_) return broken(in_.size(), "it ends too early");
    const std::string_view bytes = in_.substr(at_, static_cast<std::size_t>(head.argument));
    if (head.major == Major::text && !is_utf8(bytes)) return broken(head.at, "text not in UTF-8");
    out.append(bytes);
    at_ += bytes.size();
    return true;
  }

  bool broken(std::size_t at, std::string_view why) {
    frame_.fault = ParsedFrame::Fault::not_cbor;
    frame_.fault_at = at + 1;
    frame_.fault_why = why;
    return false;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  std::vector<Level> open_;
  FieldsOfFrame& frame_;
  FieldsBuilder builder_;
};

}  // namespace

ParsedFrame parse_requests(std::string_view bytes) {
  FieldsOfFrame frame;
  Walk(bytes, frame).run();
  return requests_of(std::move(frame));
}

}  // namespace wire::cbor
