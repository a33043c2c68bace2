#include "wire/fields.h"

#include <algorithm>
#include <array>
#include <utility>

namespace wire {
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

}  // namespace

std::string_view name(Field field) { return field_names[static_cast<std::size_t>(field)]; }

Value* Fields::find(Field field) {
  const auto found = std::ranges::find(known, field, &KnownField::field);
  return found == known.end() ? nullptr : &found->value;
}

bool FieldsBuilder::begin_object() {
  if (!deeper()) return false;
  const Level outer = open_.empty() ? Level{} : open_.back();
  if (outer.skipped) return push({.skipped = true});
  if (open_.empty()) return add_item(frame_.requests, true);
  if (outer.items) return add_item(*outer.items, true);

  Value* value = add_field({Value::Kind::object, false, 0, {}, {}});
  if (!value || !has_inside(*key_)) return push({.skipped = true});
  return add_item(value->items, true);
}

bool FieldsBuilder::begin_array() {
  if (!deeper()) return false;
  const Level outer = open_.empty() ? Level{} : open_.back();
  if (outer.skipped) return push({.skipped = true});
  if (open_.empty()) {
    frame_.is_list = true;
    return push({.items = &frame_.requests});
  }
  if (outer.items) return add_item(*outer.items, false) && push({.skipped = true});

  Value* value = add_field({Value::Kind::array, false, 0, {}, {}});
  if (!value || !has_inside(*key_)) return push({.skipped = true});
  return push({.items = &value->items});
}

void FieldsBuilder::key(std::string_view name) {
  Fields* object = open_.back().object;
  if (!object) return;
  key_ = field_named(name);
  if (!key_) {
    if (!object->unknown) object->unknown = name;
  } else if (object->find(*key_)) {
    if (!object->duplicate) object->duplicate = key_;
    key_.reset();
  }
}

bool FieldsBuilder::push(Level level) {
  open_.push_back(level);
  return true;
}

bool FieldsBuilder::deeper() {
  if (open_.size() < nesting_max) return true;
  frame_.fault = ParsedFrame::Fault::too_deep;
  return false;
}

bool FieldsBuilder::scalar(Value value) {
  if (open_.empty()) {
    frame_.shape = FieldsOfFrame::Shape::scalar;
    return true;
  }
  const Level& outer = open_.back();
  if (outer.items) return add_item(*outer.items, false);
  if (outer.object) add_field(std::move(value));
  return true;
}

bool FieldsBuilder::add_item(std::vector<Fields>& items, bool is_object) {
  if (items.size() == frame_requests_max) {
    frame_.shape = FieldsOfFrame::Shape::too_many;
    return false;
  }
  Fields& item = items.emplace_back();
  item.is_object = is_object;
  item.format = format_;
  return !is_object || push({.object = &item});
}

Value* FieldsBuilder::add_field(Value value) {
  if (!key_) return nullptr;
  auto& known = open_.back().object->known;
  if (known.empty()) known.reserve(8);
  known.push_back({*key_, std::move(value)});
  return &known.back().value;
}

}  // namespace wire
