"""Are the tools of the proofs installed? slither and halmos, in .venv-proofs: they pin other packages than we."""

from deploy.node import PACKAGES
from scripts.own_venv import OwnVenv

PROOFS = OwnVenv("proofs", "slither, halmos and their solvers")
TOOLS = PROOFS.programs
FORGE = PACKAGES / "@foundry-rs" / "forge-linux-amd64" / "bin" / "forge"


def install_tools() -> bool:
    """Whether slither and halmos can be started; if not, says why on standard output."""
    return PROOFS.install()
