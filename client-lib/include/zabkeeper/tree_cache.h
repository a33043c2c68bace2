#pragma once

#include "client-lib/tree_cache.h"
