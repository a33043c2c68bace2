#pragma once

#include <lmdb.h>
#include <string_view>

// Bytes as LMDB takes and returns them: views of memory that belongs to somebody else.
namespace storage {

// LMDB only reads through the result.
[[nodiscard]] inline MDB_val value_of(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}

[[nodiscard]] inline std::string_view bytes_of(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

}  // namespace storage
