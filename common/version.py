"""The version of StarGAN-FE: CITATION.cff and CHANGELOG.md say the same."""

VERSION = "0.9.0"
TOLD = f"StarGAN-FE {VERSION}"
