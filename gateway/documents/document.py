"""What is a document? A file with a name and a media type, whole in memory."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Document:
    """A file as a caller gets it: `name` with its ending, `media_type` for HTTP."""

    name: str
    media_type: str
    content: bytes
