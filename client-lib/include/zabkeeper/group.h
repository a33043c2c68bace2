#pragma once

#include "client-lib/group.h"
