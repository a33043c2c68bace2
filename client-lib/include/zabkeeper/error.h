#pragma once

#include "client-lib/error.h"
