#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include <boost/intrusive/unordered_set.hpp>

#include "wire/ensure.h"

namespace session {

// A hash container of boost::intrusive with its buckets. The container has the options
// `power_2_buckets`, `incremental` and `linear_buckets`. As it grows, buckets are split one by one,
// so that no insertion moves all elements. It does not own its elements.
template <class Container>
class HashIndex {
 public:
  explicit HashIndex(const typename Container::hasher& hash)
      : buckets_(make_buckets(buckets_at_first)),
        elements_({buckets_.get(), buckets_at_first + Container::bucket_overhead}, hash) {}
  ~HashIndex() = default;
  HashIndex(const HashIndex&) = delete;
  HashIndex& operator=(const HashIndex&) = delete;

  Container& operator*() { return elements_; }
  Container* operator->() { return &elements_; }
  const Container* operator->() const { return &elements_; }

  void insert(typename Container::value_type& element) {
    elements_.insert(element);
    if (elements_.size() > elements_a_bucket * elements_.split_count()) split();
  }

 private:
  using Bucket = typename Container::bucket_type;
  static constexpr std::size_t buckets_at_first = 4;
  // Following two pointers instead of one costs less than the memory for twice as many buckets.
  static constexpr std::size_t elements_a_bucket = 2;

  static std::unique_ptr<Bucket[]> make_buckets(std::size_t count) {
    return std::make_unique<Bucket[]>(count + Container::bucket_overhead);
  }
  void split() {
    if (elements_.incremental_rehash()) return;
    const std::size_t count = 2 * elements_.bucket_count();
    auto buckets = make_buckets(count);
    const bool moved =
        elements_.incremental_rehash({buckets.get(), count + Container::bucket_overhead});
    ensure(moved, "all buckets were split before new ones are added");
    buckets_ = std::move(buckets);
    elements_.incremental_rehash();
  }

  std::unique_ptr<Bucket[]> buckets_;
  Container elements_;
};

}  // namespace session
