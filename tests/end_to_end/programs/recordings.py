# SPDX-FileCopyrightText: 2026 The siena authors
# SPDX-License-Identifier: Apache-2.0
"""recordings.py FOLDER WORD...: folders of words as Speech Commands has them, forty recordings of a second of noise each."""

import os
import random
import sys
import wave

for word in sys.argv[2:]:
    folder = os.path.join(sys.argv[1], word)
    os.makedirs(folder, exist_ok=True)
    for speaker in range(40):
        with wave.open(os.path.join(folder, f"{speaker:08x}_nohash_0.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16000)
            file.writeframes(random.Random(speaker).randbytes(32000))
