#!/usr/bin/env python3
"""Pushes the component to a registry, as the kind of artefact that tools for
WebAssembly components pull (`wkg oci pull`), and pulls it again to compare:

    cargo run --package imds-component
    pip install oras==0.2.43
    components/push.py registry.example.com/imds/component:0.1.0
    components/push.py --insecure 127.0.0.1:5000/imds/component:0.1.0

Who pushes has logged in by `docker login`, `podman login` or `oras login`.
"""

import argparse
import hashlib
import json
import os
import pathlib
import re
import tempfile

import oras.client

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILT = ROOT / "target/imds-component"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("reference")
    arguments.add_argument("--insecure", action="store_true", help="the registry has no TLS")
    given = arguments.parse_args()
    package = re.search(r"^package (\S+)@(\S+);", (ROOT / "wit/imds.wit").read_text(), re.MULTILINE)
    digest = hashlib.sha256((BUILT / "imds.wasm").read_bytes()).hexdigest()
    # What tools look at before they pull: it needs nothing of its engine.
    config = {
        "created": "1970-01-01T00:00:00Z",
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [f"sha256:{digest}"],
        "component": {"exports": [f"{package[1]}/metadata@{package[2]}"], "imports": []},
    }
    client = oras.client.OrasClient(insecure=given.insecure, tls_verify=not given.insecure)
    with tempfile.TemporaryDirectory() as folder:
        described = pathlib.Path(folder) / "config.json"
        described.write_text(json.dumps(config))
        # The file's name in the registry is the path that it is given by.
        os.chdir(BUILT)
        client.push(
            target=given.reference,
            files=["imds.wasm:application/wasm"],
            manifest_config=f"{described}:application/vnd.wasm.config.v0+json",
        )
        [pulled] = client.pull(target=given.reference, outdir=folder)
        assert hashlib.sha256(pathlib.Path(pulled).read_bytes()).hexdigest() == digest, "the registry has other bytes"
    print(f"{given.reference}: sha256:{digest}")


if __name__ == "__main__":
    main()
