"""Why can a file not be read, in words that a person uses?"""

from pathlib import Path


def why_unreadable(error: Exception, path: Path) -> str:
    """What is wrong with the file of that path."""
    match error:
        case FileNotFoundError():
            return f"no such file: {path}"
        case IsADirectoryError():
            return f"a folder: {path}"
        case PermissionError():
            return f"a file that may not be opened: {path}"
        case UnicodeDecodeError():
            return f"a binary file, or text in another encoding: {path}"
        case _:
            return str(error)
