#include "wire/raw_frame.h"

#include <algorithm>
#include <utility>

namespace wire {
namespace {

// Parsing a value takes time, though it may not be kept. So each counts as so many bytes.
constexpr std::size_t value_bytes = 16;
// A vector that grows step by step has had memory for so many times its elements.
constexpr std::size_t growth = 2;

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
  if (open_.empty() || outer.is_frame) return begin_request(true);
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
    return push({.is_frame = true});
  }
  if (outer.is_frame) return begin_request(false) && push({.skipped = true});
  if (outer.items) return add_item(*outer.items, false) && push({.skipped = true});

  RawValue* value = add_field({RawValue::Kind::array, false, 0, {}, {}});
  if (!value || !has_structure(*key_)) return push({.skipped = true});
  return push({.items = &value->items, .keeps_text = (set_of(*key_) & text_lists) != 0});
}

void RawFrameBuilder::key(std::string_view name) {
  RawObject* object = open_.back().object;
  if (!object) return;
  key_ = field_names.find(name);
  if (!key_) {
    if (!object->unknown) {
      object->unknown = name;
      open_bytes_ += name.size();
    }
  } else if (object->find(*key_)) {
    if (!object->duplicate) object->duplicate = key_;
    key_.reset();
  }
}

bool RawFrameBuilder::piece() {
  kept_bytes_ += value_bytes;
  return fits();
}

void RawFrameBuilder::end() {
  const Level level = open_.back();
  open_.pop_back();
  if (level.object == &frame_.open) end_request();
}

bool RawFrameBuilder::push(Level level) {
  kept_bytes_ += value_bytes;
  open_.push_back(level);
  return fits();
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
  kept_bytes_ += value_bytes + value.text.size();
  const Level& outer = open_.back();
  if (outer.is_frame) return begin_request(false);
  if (outer.items) {
    std::vector<RawObject>& items = *outer.items;
    const bool keeps = outer.keeps_text && value.kind == RawValue::Kind::string;
    if (keeps) open_bytes_ += sizeof(RawField);
    if (!add_item(items, false)) return false;
    if (keeps) items.back().fields.push_back({FieldId{}, std::move(value)});
    return true;
  }
  if (outer.object) add_field(std::move(value));
  return fits();
}

// The memory of the fields of the former request is used again.
bool RawFrameBuilder::begin_request(bool is_object) {
  if (frame_.requests.size() == frame_requests_max) return too_many();
  frame_.open.fields.clear();
  frame_.open.unknown.reset();
  frame_.open.duplicate.reset();
  frame_.open.is_object = is_object;
  frame_.open.format = format_;
  if (is_object) return push({.object = &frame_.open});
  end_request();
  return fits();
}

void RawFrameBuilder::end_request() {
  const ParsedRequest& parsed = frame_.requests.emplace_back(request_of(frame_.open));
  open_bytes_ = 0;
  kept_bytes_ += growth * sizeof(ParsedRequest);
  if (!parsed) kept_bytes_ += parsed.error().error.message.size();
}

bool RawFrameBuilder::add_item(std::vector<RawObject>& items, bool is_object) {
  if (items.size() == frame_requests_max) return too_many();
  open_bytes_ += growth * sizeof(RawObject);
  kept_bytes_ += sizeof(MultiOp);  // the largest of the structs that items become
  if (!fits()) return false;
  RawObject& item = items.emplace_back();
  item.is_object = is_object;
  item.format = format_;
  return !is_object || push({.object = &item});
}

RawValue* RawFrameBuilder::add_field(RawValue value) {
  if (!key_) return nullptr;
  auto& fields = open_.back().object->fields;
  if (fields.size() == fields.capacity()) {
    fields.reserve(fields.empty() ? 4 : 2 * fields.size());
    open_bytes_ += fields.capacity() * sizeof(RawField);
  }
  fields.push_back({*key_, std::move(value)});
  return &fields.back().value;
}

bool RawFrameBuilder::too_many() {
  frame_.shape = RawFrame::Shape::too_many;
  return false;
}

bool RawFrameBuilder::fits() {
  if (kept_bytes_ + open_bytes_ <= memory_max_) return true;
  frame_.fault = ParsedFrame::Fault::too_large;
  return false;
}

}  // namespace wire
