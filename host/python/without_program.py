"""Makes of a wheel the one for all other platforms: the module without the program.

    python host/python/without_program.py wheels/imds_host-*.whl

pip takes it only where no wheel with the program fits. There, `imds.serve` says what to
install. The new wheel lies beside the old one.
"""

from __future__ import annotations

import base64
import hashlib
import sys
import zipfile
from pathlib import Path

TAG = "py3-none-any"


def without_program(wheel: Path) -> Path:
    name, version, *_ = wheel.stem.split("-")
    information = f"{name}-{version}.dist-info"
    made = wheel.with_name(f"{name}-{version}-{TAG}.whl")
    record = []
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            if entry.filename.startswith(f"{name}-{version}.data/") or entry.filename == f"{information}/RECORD":
                continue
            content = source.read(entry)
            if entry.filename == f"{information}/WHEEL":
                content = any_platform(content.decode()).encode()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{entry.filename},sha256={digest},{len(content)}")
            target.writestr(entry, content)
        target.writestr(f"{information}/RECORD", "\n".join([*record, f"{information}/RECORD,,", ""]))
    return made


def any_platform(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith(("Tag:", "Root-Is-Purelib:"))]
    return "\n".join([*(line for line in lines if line), "Root-Is-Purelib: true", f"Tag: {TAG}", ""])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python without_program.py WHEEL...")
    for argument in sys.argv[1:]:
        # A pattern without a match stays as it is.
        if not zipfile.is_zipfile(argument):
            sys.exit(f"error: there is no wheel at {argument}\nusage: python without_program.py WHEEL...")
        print(without_program(Path(argument)))
