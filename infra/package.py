#!/usr/bin/env python3
"""Packs the function for Terraform: FOLDER/bootstrap into FOLDER/bootstrap.zip.

    infra/package.py FOLDER [RULE_FILE]

A rule file lies beside the binary, as `referee.yaml`, where the function looks for it. The same files
make the same zip, whenever and wherever it is made: it holds no times.
"""

import sys
import zipfile
from pathlib import Path


def pack(files, target):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path, mode in files:
            info = zipfile.ZipInfo(name)
            info.create_system = 3  # Unix, whose modes these are
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())


def main():
    folder = Path(sys.argv[1])
    files = [("bootstrap", folder / "bootstrap", 0o755)]
    files += [("referee.yaml", Path(rules), 0o644) for rules in sys.argv[2:]]
    pack(files, folder / "bootstrap.zip")


main()
