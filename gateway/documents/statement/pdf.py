"""How does the statement become a PDF? Set by typst from its content alone: no clock, the same bytes each time.

Fonts come from locked packages, none from the machine: Noto Sans SC (SIL OFL) for text in both languages, DejaVu Sans
Mono, which typst carries, for hashes.
"""

import json
from functools import cache
from pathlib import Path

import pylopdf_fonts_zh_cn
import typst

from gateway.documents.document import Document
from gateway.documents.statement.content import Content
from gateway.documents.statement.page import page_of

PDF = "application/pdf"
_TEMPLATE = Path(__file__).parent / "statement.typ"


def statement_pdf(content: Content, language: str = "en") -> Document:
    """The statement's PDF in "en" or "zh", with its content attached. Raises Malformed for another language."""
    name = f"statement-{content['drawnBy']}-{content['partner']}-{content['period']}-{language}.pdf"
    return Document(name, PDF, draw_pdf(content, language))


def draw_pdf(content: Content, language: str) -> bytes:
    """The bytes of the page and its attachment: a function of content and language."""
    inputs = {
        "page": json.dumps(page_of(content, language), ensure_ascii=False),
        "statement": json.dumps(content, indent=1, ensure_ascii=True),
    }
    compiler = typst.Compiler(_TEMPLATE, font_paths=_fonts(), sys_inputs=inputs, ignore_system_fonts=True)
    drawn = compiler.compile(format="pdf", pdf_standards="1.7")
    assert isinstance(drawn, bytes), "a PDF is one file"
    return drawn


@cache
def _fonts() -> typst.Fonts:
    """Read once: eight megabytes."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=True,
        font_paths=[str(pylopdf_fonts_zh_cn.sans_path().parent)],
    )
