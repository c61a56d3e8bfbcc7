"""The version of StarGAN-FE: CITATION.cff and CHANGELOG.md say the same."""

VERSION = "1.0.0"
NAME_AND_VERSION = f"StarGAN-FE {VERSION}"
