"""The version of StarGAN-FE: CITATION.cff and CHANGELOG.md say the same."""

VERSION = "0.9.0"
NAME_AND_VERSION = f"StarGAN-FE {VERSION}"
