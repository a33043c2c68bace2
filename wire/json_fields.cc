#include "wire/json_fields.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "wire/utf8.h"

namespace wire::json {
namespace {

// In the order of Field.
constexpr std::array<std::string_view, 38> field_names{
    "acl",      "after",      "atLeast", "auth",      "batch",    "consistency", "container",
    "create",   "data",       "data64",  "dedup",     "encoding", "ephemeral",   "from",
    "id",       "lastZxid",   "limit",   "once",      "op",       "ops",         "parents",
    "password", "path",       "perms",   "prefix",    "readOnly", "recursive",   "scheme",
    "scope",    "sequential", "session", "timeoutMs", "token",    "ttlMs",       "version",
    "watch",    "withData",   "withStat"};
static_assert(std::ranges::is_sorted(field_names));
static_assert(field_names.size() == static_cast<std::size_t>(Field::with_stat) + 1);

std::optional<Field> field_named(std::string_view name) {
  const auto found = std::ranges::lower_bound(field_names, name);
  if (found == field_names.end() || *found != name) return std::nullopt;
  return static_cast<Field>(found - field_names.begin());
}

// The fields whose objects and lists are looked into.
bool has_inside(Field field) {
  return field == Field::acl || field == Field::auth || field == Field::consistency ||
         field == Field::ops;
}

// Fills a FieldsOfFrame while nlohmann's parser walks through the text.
class Sax {
 public:
  explicit Sax(FieldsOfFrame& frame) : frame_(frame) {}

  bool null() { return scalar({}); }
  bool boolean(bool value) { return scalar({Value::Kind::boolean, value, 0, {}, {}}); }
  bool number_integer(std::int64_t value) {
    return scalar({Value::Kind::integer, false, value, {}, {}});
  }
  bool number_unsigned(std::uint64_t value) {
    if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      return number_integer(static_cast<std::int64_t>(value));
    }
    return scalar({Value::Kind::number, false, 0, std::to_string(value), {}});
  }
  bool number_float(double, const std::string& text) {
    return scalar({Value::Kind::number, false, 0, text, {}});
  }
  bool string(std::string& text) {
    return scalar({Value::Kind::string, false, 0, std::move(text), {}});
  }
  bool binary(nlohmann::json::binary_t&) { return false; }  // JSON text has none.

  bool start_object(std::size_t) {
    if (!deeper()) return false;
    const Level outer = open_.empty() ? Level{} : open_.back();
    if (outer.skipped) return push({.skipped = true});
    if (open_.empty()) return push({.object = &frame_.requests.emplace_back()});
    if (outer.items) return add_item(*outer.items, true);

    Value* value = add_field({Value::Kind::object, false, 0, {}, {}});
    if (!value || !has_inside(*key_)) return push({.skipped = true});
    return push({.object = &value->items.emplace_back()});
  }

  bool start_array(std::size_t) {
    if (!deeper()) return false;
    const Level outer = open_.empty() ? Level{} : open_.back();
    if (outer.skipped) return push({.skipped = true});
    if (open_.empty()) return push({.items = &frame_.requests});
    if (outer.items) return add_item(*outer.items, false) && push({.skipped = true});

    Value* value = add_field({Value::Kind::array, false, 0, {}, {}});
    if (!value || !has_inside(*key_)) return push({.skipped = true});
    return push({.items = &value->items});
  }

  bool key(std::string& name) {
    Fields* object = open_.back().object;
    if (!object) return true;
    key_ = field_named(name);
    if (!key_) {
      if (!object->unknown) object->unknown = std::move(name);
    } else if (object->find(*key_)) {
      if (!object->duplicate) object->duplicate = key_;
      key_.reset();
    }
    return true;
  }

  bool end_object() { return pop(); }
  bool end_array() { return pop(); }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    frame_.fault = ParsedFrame::Fault::not_json;
    frame_.fault_at = position;
    return false;
  }

 private:
  // An open bracket: the object or the list that it fills, if its content is wanted. A pointer
  // stays good while its level is open, for only the innermost list grows.
  struct Level {
    Fields* object = nullptr;
    std::vector<Fields>* items = nullptr;
    bool skipped = false;
  };

  bool push(Level level) {
    open_.push_back(level);
    return true;
  }
  bool pop() {
    open_.pop_back();
    return true;
  }

  bool deeper() {
    if (open_.size() < nesting_max) return true;
    frame_.fault = ParsedFrame::Fault::too_deep;
    return false;
  }

  bool scalar(Value value) {
    if (open_.empty()) {
      frame_.shape = FieldsOfFrame::Shape::scalar;
      return true;
    }
    const Level& outer = open_.back();
    if (outer.items) return add_item(*outer.items, false);
    if (outer.object) add_field(std::move(value));
    return true;
  }

  bool add_item(std::vector<Fields>& items, bool is_object) {
    if (items.size() == frame_requests_max) {
      frame_.shape = FieldsOfFrame::Shape::too_many;
      return false;
    }
    Fields& item = items.emplace_back();
    item.is_object = is_object;
    return !is_object || push({.object = &item});
  }

  // Null where the key is not to be kept.
  Value* add_field(Value value) {
    if (!key_) return nullptr;
    auto& known = open_.back().object->known;
    if (known.empty()) known.reserve(8);
    known.push_back({*key_, std::move(value)});
    return &known.back().value;
  }

  FieldsOfFrame& frame_;
  std::vector<Level> open_;
  std::optional<Field> key_;  // of the value that comes next; nothing if that is not kept
};

}  // namespace

std::string_view name(Field field) { return field_names[static_cast<std::size_t>(field)]; }

Value* Fields::find(Field field) {
  const auto found = std::ranges::find(known, field, &KnownField::field);
  return found == known.end() ? nullptr : &found->value;
}

FieldsOfFrame read_fields(std::string_view text) {
  FieldsOfFrame frame;
  if (!is_utf8(text)) {
    frame.fault = ParsedFrame::Fault::not_utf8;
    return frame;
  }
  // nlohmann's parser takes a NUL for the end of the text.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    frame.fault = ParsedFrame::Fault::not_json;
    frame.fault_at = nul + 1;
    return frame;
  }
  Sax sax(frame);
  nlohmann::json::sax_parse(text.begin(), text.end(), &sax);
  return frame;
}

}  // namespace wire::json
