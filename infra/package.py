#!/usr/bin/env python3
"""Packs the function for Terraform: FOLDER/bootstrap into FOLDER/bootstrap.zip.

    infra/package.py FOLDER [RULE_FILE]

A rule file is placed beside the binary as `referee.yaml`, where the function looks for it. The zip
contains no modification times, so that the same files always produce the same zip.
"""

import sys
import zipfile
from pathlib import Path


def pack(files, target):
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, path, mode in files:
            info = zipfile.ZipInfo(name)
            info.create_system = 3  # Unix, to which the mode applies
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())


def main():
    folder = Path(sys.argv[1])
    files = [("bootstrap", folder / "bootstrap", 0o755)]
    files += [("referee.yaml", Path(rules), 0o644) for rules in sys.argv[2:]]
    pack(files, folder / "bootstrap.zip")


main()
