#pragma once

#include "client-lib/counter.h"
