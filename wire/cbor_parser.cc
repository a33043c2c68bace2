#include <cbor.h>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wire/cbor.h"
#include "wire/raw_frame.h"
#include "wire/utf8.h"

// libcbor decodes single items; the rest is ours: which item may come where, how deep, and what is
// wrong. nlohmann's reader of CBOR cannot be used: it recurses without bound into strings of
// strings (a frame of 0x7f is enough), lets integers below -2^63 wrap around, and accepts text that
// is not UTF-8.
namespace wire::cbor {
namespace {

// As in JSON: never the text of an integer.
std::string text_of(double value) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value);
  std::string text(digits, end.ptr);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Passes the values of a frame to a RawFrameBuilder, in their order. Does not recurse.
class Walk {
 public:
  Walk(std::string_view in, RawFrame& frame)
      : in_(in), frame_(frame), builder_(Format::cbor, in.size(), frame) {}

  void run();

  // --- Called by libcbor for each item ---

  void positive(std::uint64_t value);
  void negative(std::uint64_t value);  // -1 - value
  void number(double value);
  void boolean(bool value);
  void null();
  void string(bool is_text, std::string_view bytes);
  // The pieces of one string follow.
  void begin_string(bool is_text);
  // `count` is of elements or pairs; nothing: until end_indefinite.
  void begin(bool is_map, std::optional<std::uint64_t> count);
  void end_indefinite();
  void tag() { ok_ = broken(at_, "tags are not understood here"); }

 private:
  static constexpr std::uint64_t indefinite = ~std::uint64_t{0};

  // An array or a map that has not ended.
  struct Level {
    bool is_map = false;
    std::uint64_t left = 0;  // elements, keys and values; or indefinite
    bool has_key = false;    // and its value must follow
  };
  enum class Pieces : std::uint8_t { none, bytes, text };

  bool decode_item();
  // Counts the next element of the innermost array or map. False, with a fault, if a key must come.
  bool begin_value();
  bool is_key() const { return !open_.empty() && open_.back().is_map && !open_.back().has_key; }
  void count(Level& level) {
    if (level.left != indefinite) --level.left;
  }
  void whole_string(bool is_text, std::string_view bytes);
  bool broken(std::size_t at, std::string_view why);

  std::string_view in_;
  std::size_t at_ = 0;  // where the item begins
  bool ok_ = true;      // no fault so far, and the builder wants more
  std::vector<Level> open_;
  Pieces pieces_ = Pieces::none;  // of the string that has begun
  std::string joined_;
  RawFrame& frame_;
  RawFrameBuilder builder_;
};

Walk& walk(void* context) { return *static_cast<Walk*>(context); }
std::string_view view(cbor_data data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

constexpr cbor_callbacks callbacks{
    .uint8 = [](void* c, std::uint8_t value) { walk(c).positive(value); },
    .uint16 = [](void* c, std::uint16_t value) { walk(c).positive(value); },
    .uint32 = [](void* c, std::uint32_t value) { walk(c).positive(value); },
    .uint64 = [](void* c, std::uint64_t value) { walk(c).positive(value); },
    .negint64 = [](void* c, std::uint64_t value) { walk(c).negative(value); },
    .negint32 = [](void* c, std::uint32_t value) { walk(c).negative(value); },
    .negint16 = [](void* c, std::uint16_t value) { walk(c).negative(value); },
    .negint8 = [](void* c, std::uint8_t value) { walk(c).negative(value); },
    .byte_string_start = [](void* c) { walk(c).begin_string(false); },
    .byte_string = [](void* c, cbor_data data,
                      std::size_t size) { walk(c).string(false, view(data, size)); },
    .string = [](void* c, cbor_data data,
                 std::size_t size) { walk(c).string(true, view(data, size)); },
    .string_start = [](void* c) { walk(c).begin_string(true); },
    .indef_array_start = [](void* c) { walk(c).begin(false, std::nullopt); },
    .array_start = [](void* c, std::size_t count) { walk(c).begin(false, count); },
    .indef_map_start = [](void* c) { walk(c).begin(true, std::nullopt); },
    .map_start = [](void* c, std::size_t count) { walk(c).begin(true, count); },
    .tag = [](void* c, std::uint64_t) { walk(c).tag(); },
    .float2 = [](void* c, float value) { walk(c).number(static_cast<double>(value)); },
    .float4 = [](void* c, float value) { walk(c).number(static_cast<double>(value)); },
    .float8 = [](void* c, double value) { walk(c).number(value); },
    .undefined = [](void* c) { walk(c).null(); },
    .null = [](void* c) { walk(c).null(); },
    .boolean = [](void* c, bool value) { walk(c).boolean(value); },
    .indef_break = [](void* c) { walk(c).end_indefinite(); },
};

void Walk::run() {
  do {
    if (!decode_item()) return;
    while (!open_.empty() && open_.back().left == 0) {
      open_.pop_back();
      builder_.end();
    }
  } while (!open_.empty() || pieces_ != Pieces::none);
  if (at_ < in_.size()) broken(at_, "more comes behind the value");
}

bool Walk::decode_item() {
  if (at_ == in_.size()) return broken(at_, "it ends too early");
  const auto* data = reinterpret_cast<const unsigned char*>(in_.data()) + at_;
  const cbor_decoder_result item = cbor_stream_decode(data, in_.size() - at_, &callbacks, this);
  switch (item.status) {
    case CBOR_DECODER_FINISHED: at_ += item.read; return ok_;
    case CBOR_DECODER_NEDATA: return broken(in_.size(), "it ends too early");
    case CBOR_DECODER_ERROR: break;
  }
  constexpr unsigned char simple = 7;
  return broken(at_, *data >> 5 == simple ? "a simple value that is not understood here"
                                          : "an unknown length");
}

bool Walk::begin_value() {
  if (pieces_ != Pieces::none) return broken(at_, "a piece of a string that is none");
  if (is_key()) return broken(at_, "a key that is no text");
  if (open_.empty()) return true;
  count(open_.back());
  open_.back().has_key = false;
  return true;
}

void Walk::positive(std::uint64_t value) {
  ok_ = begin_value() &&
        (std::in_range<std::int64_t>(value) ? builder_.integer(static_cast<std::int64_t>(value))
                                            : builder_.number(std::to_string(value)));
}

void Walk::negative(std::uint64_t value) {
  if (!(ok_ = begin_value())) return;
  if (std::in_range<std::int64_t>(value)) {
    ok_ = builder_.integer(-1 - static_cast<std::int64_t>(value));
  } else if (value == ~std::uint64_t{0}) {
    ok_ = builder_.number("-18446744073709551616");
  } else {
    ok_ = builder_.number('-' + std::to_string(value + 1));
  }
}

void Walk::number(double value) {
  // JSON has only finite ones.
  ok_ = begin_value() && (std::isfinite(value) ? builder_.number(text_of(value)) : builder_.null());
}

void Walk::boolean(bool value) { ok_ = begin_value() && builder_.boolean(value); }

void Walk::null() { ok_ = begin_value() && builder_.null(); }

void Walk::string(bool is_text, std::string_view bytes) {
  if (pieces_ != Pieces::none && is_text != (pieces_ == Pieces::text)) {
    ok_ = broken(at_, "a piece of a string that is none");
  } else if (is_text && !is_utf8(bytes)) {
    ok_ = broken(at_, "text not in UTF-8");
  } else if (pieces_ != Pieces::none) {
    joined_.append(bytes);
    ok_ = builder_.piece();
  } else {
    whole_string(is_text, bytes);
  }
}

void Walk::whole_string(bool is_text, std::string_view bytes) {
  if (is_text && is_key()) {
    count(open_.back());
    open_.back().has_key = true;
    builder_.key(bytes);
  } else if ((ok_ = begin_value())) {
    ok_ = is_text ? builder_.string(std::string(bytes)) : builder_.bytes(std::string(bytes));
  }
}

void Walk::begin_string(bool is_text) {
  if (pieces_ != Pieces::none) {
    ok_ = broken(at_, "a piece of a string that is none");
  } else if (!is_text && is_key()) {
    ok_ = broken(at_, "a key that is no text");
  } else {
    pieces_ = is_text ? Pieces::text : Pieces::bytes;
  }
}

void Walk::begin(bool is_map, std::optional<std::uint64_t> count) {
  if (!(ok_ = begin_value())) return;
  // Each element takes a byte at least, so the product below cannot overflow.
  if (count && *count > in_.size() - at_) {
    ok_ = broken(in_.size(), "it ends too early");
    return;
  }
  open_.push_back({is_map, count ? *count * (is_map ? 2 : 1) : indefinite});
  ok_ = is_map ? builder_.begin_object() : builder_.begin_array();
}

void Walk::end_indefinite() {
  if (pieces_ != Pieces::none) {
    const bool is_text = std::exchange(pieces_, Pieces::none) == Pieces::text;
    whole_string(is_text, std::exchange(joined_, {}));
  } else if (open_.empty() || open_.back().left != indefinite) {
    ok_ = broken(at_, "a break where nothing began");
  } else if (open_.back().has_key) {
    ok_ = broken(at_, "a key without a value");
  } else {
    open_.back().left = 0;
  }
}

bool Walk::broken(std::size_t at, std::string_view why) {
  frame_.fault = ParsedFrame::Fault::not_cbor;
  frame_.fault_at = at + 1;
  frame_.fault_why = why;
  return false;
}

}  // namespace

ParsedFrame parse_requests(std::string_view bytes) {
  RawFrame frame;
  Walk(bytes, frame).run();
  return requests_of(std::move(frame));
}

}  // namespace wire::cbor
