#pragma once

#include <tuple>

#include "wire/archive.h"
#include "zab/credentials.h"
#include "zab/ensemble.h"
#include "zab/history.h"

// The binary form of the structs that the log, checkpoints and messages between servers share.

template <>
inline constexpr auto wire::archive::fields<zab::ServerId> = std::tuple(&zab::ServerId::value);
template <>
inline constexpr auto wire::archive::fields<zab::ClusterId> = std::tuple(&zab::ClusterId::high,
                                                                         &zab::ClusterId::low);
template <>
inline constexpr auto wire::archive::fields<zab::ChainHash> = std::tuple(&zab::ChainHash::low,
                                                                         &zab::ChainHash::high);
template <>
inline constexpr auto wire::archive::fields<zab::Point> = std::tuple(&zab::Point::zxid,
                                                                     &zab::Point::hash);
