#!/usr/bin/env python3
"""Sets Fireside up and starts, tests or pictures it: all that a fresh machine needs, in one command.

This file can be read by every Python from 3.6 on, so that an old one can say what is missing.
"""

import os
import shutil
import subprocess
import sys

VERSIONS = [(3, 14), (3, 13), (3, 12), (3, 11)]  # the Pythons that the lock files are made for

if sys.version_info[:2] not in VERSIONS:
    for version in VERSIONS:
        other = shutil.which("python%d.%d" % version)  # noqa: UP031
        if other and subprocess.call([other, "-c", "import venv"], stderr=subprocess.DEVNULL) == 0:
            os.execv(other, [other, *sys.argv])  # noqa: S606
    sys.exit(
        "Fireside runs on Python 3.11 to 3.14, and this is {}.{}.\n"
        "Install one of those, and start this with it, for example: "
        "python3.13 packaging/dev.py run".format(*sys.version_info)
    )

from commands import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
