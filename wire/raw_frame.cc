#include "wire/raw_frame.h"

#include <algorithm>
#include <utility>

namespace wire {
namespace {

bool has_structure(FieldId id) { return (set_of(id) & structured_fields) != 0; }

}  // namespace

RawValue* RawObject::find(FieldId id) {
  const auto found = std::ranges::find(fields, id, &RawField::id);
  return found == fields.end() ? nullptr : &found->value;
}

bool RawFrameBuilder::begin_object() {
  if (!may_nest()) return false;
  const Level outer = open_.empty() ? Level{} : open_.back();
  if (outer.skipped) return push({.skipped = true});
  if (open_.empty()) return add_item(frame_.requests, true);
  if (outer.items) return add_item(*outer.items, true);

  RawValue* value = add_field({RawValue::Kind::object, false, 0, {}, {}});
  if (!value || !has_structure(*key_)) return push({.skipped = true});
  return add_item(value->items, true);
}

bool RawFrameBuilder::begin_array() {
  if (!may_nest()) return false;
  const Level outer = open_.empty() ? Level{} : open_.back();
  if (outer.skipped) return push({.skipped = true});
  if (open_.empty()) {
    frame_.is_list = true;
    return push({.items = &frame_.requests});
  }
  if (outer.items) return add_item(*outer.items, false) && push({.skipped = true});

  RawValue* value = add_field({RawValue::Kind::array, false, 0, {}, {}});
  if (!value || !has_structure(*key_)) return push({.skipped = true});
  return push({.items = &value->items});
}

void RawFrameBuilder::key(std::string_view name) {
  RawObject* object = open_.back().object;
  if (!object) return;
  key_ = field_names.find(name);
  if (!key_) {
    if (!object->unknown) object->unknown = name;
  } else if (object->find(*key_)) {
    if (!object->duplicate) object->duplicate = key_;
    key_.reset();
  }
}

bool RawFrameBuilder::push(Level level) {
  open_.push_back(level);
  return true;
}

bool RawFrameBuilder::may_nest() {
  if (open_.size() < nesting_max) return true;
  frame_.fault = ParsedFrame::Fault::too_deep;
  return false;
}

bool RawFrameBuilder::scalar(RawValue value) {
  if (open_.empty()) {
    frame_.shape = RawFrame::Shape::scalar;
    return true;
  }
  const Level& outer = open_.back();
  if (outer.items) return add_item(*outer.items, false);
  if (outer.object) add_field(std::move(value));
  return true;
}

bool RawFrameBuilder::add_item(std::vector<RawObject>& items, bool is_object) {
  if (items.size() == frame_requests_max) {
    frame_.shape = RawFrame::Shape::too_many;
    return false;
  }
  RawObject& item = items.emplace_back();
  item.is_object = is_object;
  item.format = format_;
  return !is_object || push({.object = &item});
}

RawValue* RawFrameBuilder::add_field(RawValue value) {
  if (!key_) return nullptr;
  auto& fields = open_.back().object->fields;
  if (fields.empty()) fields.reserve(8);
  fields.push_back({*key_, std::move(value)});
  return &fields.back().value;
}

}  // namespace wire
