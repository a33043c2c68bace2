#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <variant>
#include <vector>

#include "wire/error.h"
#include "wire/object_writer.h"
#include "wire/reply_fields.h"
#include "wire/request_fields.h"

namespace wire {

// Writes the fields of structs to one object, as their lists say.
template <typename Syntax>
class FieldWriter {
 public:
  // `encoding` is that of data.
  explicit FieldWriter(ObjectWriter<Syntax>& object, Encoding encoding = Encoding::text_if_utf8)
      : object_(object), encoding_(encoding) {}

  // Writes all fields of T's list.
  template <HasFields T>
  void write(const T& value) {
    for_each_field<T>(
        [&]<class Place>(Place) { write_field(std::get<Place::value>(fields_of<T>), value); });
  }
  void write(const Error& error) {
    object_.string("error", name(error.code));
    if (const auto code = number(error.code)) object_.integer("code", *code);
    if (error.unmet) write(*error.unmet);
    object_.string("message", error.message);
  }
  template <class... Ts>
  void write(const std::variant<Ts...>& value) {
    std::visit([&](const auto& each) { write(each); }, value);
  }
  // Its zxid is the envelope's.
  void write(const TruncatedReply&) { object_.boolean("truncated", true); }
  void write(const MultiReply& reply) {
    if (reply.branch) add("branch", *reply.branch);
    if (reply.failed) {
      const std::size_t index = *reply.failed;
      if (index < reply.results.size() && reply.results[index].has_error()) {
        write(reply.results[index].error());
      }
      object_.integer("index", index);
    }
    objects("results", reply.results, [](const Result<OpReply>& result, FieldWriter item) {
      if (result.has_error()) return item.write(result.error());
      item.write(*result);
    });
  }

  // Writes `op` and the fields of a request.
  template <class Request>
  void write_request(const Request& request) {
    object_.string("op", op_name<Request>);
    write(request);
  }
  // A list of objects.
  template <HasFields T>
  void write_list(std::string_view name, const std::vector<T>& items) {
    add(name, items);
  }

 private:
  template <class S, class M>
  void write_field(const Embedded<S, M>& field, const S& value) {
    write(value.*field.member);
  }

  template <class S, class M, As as>
  void write_field(const Field<S, M, as>& field, const S& value) {
    const M& member = value.*field.member;
    if (field.presence == Presence::optional && is_default(field, value) &&
        !field.is_required(value)) {
      return;
    }
    if constexpr (as == As::data) {
      add_data(member);
    } else if constexpr (as == As::perms) {
      object_.string(field.name, perm_letters(member));
    } else {
      add(field.name, member);
    }
  }

  // The children are names, or objects where details were asked for.
  void write_field(const Field<ChildrenReply, std::vector<Child>>& field,
                   const ChildrenReply& reply) {
    object_.list(field.name, reply.children, [&](const Child& child, std::string& out) {
      if (!reply.with_details) return Syntax::append_string(child.name, out);
      ObjectWriter<Syntax> item(out);
      FieldWriter(item, encoding_).write(child);
    });
  }

  template <class S, class M, As as>
  static bool is_default(const Field<S, M, as>& field, const S& value) {
    if constexpr (requires(const M& member) { member.has_value(); }) {
      return !(value.*field.member).has_value();
    } else {
      static const S defaults{};
      return value.*field.member == defaults.*field.member;
    }
  }

  void add_data(const Bytes& bytes) { object_.data(bytes, encoding_); }
  template <class Data>
  void add_data(const std::optional<Data>& bytes) {
    add_data(static_cast<const Bytes&>(*bytes));
  }

  void add(std::string_view name, const std::string& text) { object_.string(name, text); }
  void add(std::string_view name, bool value) { object_.boolean(name, value); }
  template <std::integral T>
  requires(!std::same_as<T, bool>) void add(std::string_view name, T value) {
    object_.integer(name, value);
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void add(std::string_view field, Enum value) { object_.string(field, name(value)); }
  void add(std::string_view name, Zxid zxid) { object_.hex(name, zxid.bits()); }
  void add(std::string_view name, SessionId session) { object_.hex(name, session.value); }
  void add(std::string_view name, const RequestId& id) { object_.id(name, id); }
  void add(std::string_view name, const Consistency& consistency) {
    if (const auto* at_least = std::get_if<AtLeast>(&consistency)) return add(name, *at_least);
    object_.string(name,
                   std::holds_alternative<Linearizable>(consistency) ? "linearizable" : "session");
  }
  void add(std::string_view name, const std::vector<std::string>& texts) {
    object_.strings(name, texts);
  }
  void add(std::string_view name, const std::vector<MultiOp>& ops) {
    objects(name, ops, [](const MultiOp& op, FieldWriter item) {
      std::visit([&](const auto& each) { item.write_request(each); }, op);
    });
  }
  template <HasFields T>
  void add(std::string_view name, const std::vector<T>& items) {
    objects(name, items, [](const T& each, FieldWriter item) { item.write(each); });
  }
  template <HasFields T>
  void add(std::string_view name, const T& value) {
    ObjectWriter<Syntax> object(object_.field(name));
    FieldWriter(object, encoding_).write(value);
  }
  template <class T>
  void add(std::string_view name, const std::optional<T>& value) {
    value ? add(name, *value) : object_.null(name);
  }

  // A list of objects, the fields of each written by `write_item(item, writer)`.
  template <class Items, class WriteItem>
  void objects(std::string_view name, const Items& items, WriteItem write_item) {
    object_.list(name, items, [&](const auto& each, std::string& out) {
      ObjectWriter<Syntax> object(out);
      write_item(each, FieldWriter(object, encoding_));
    });
  }

  ObjectWriter<Syntax>& object_;
  Encoding encoding_;
};

}  // namespace wire
