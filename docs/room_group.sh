#!/bin/sh
# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
#
# What Doxygen reads in place of a header: all of it in the group of its room (docs/rooms.dox), line by line the same.
room=$(printf '%s' "$1" | sed -n 's|.*include/siena/\([a-z_]*\)/.*|\1|p')
[ -n "$room" ] || exec cat "$1"
sed "1s|.*|/** @addtogroup room_$room @{ */|" "$1"
echo '/** @} */'
