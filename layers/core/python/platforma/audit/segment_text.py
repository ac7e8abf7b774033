"""What can be read of a segment that may be damaged: as much of its text as there is, and where reading fails."""

import zlib

_GZIP = 31


def text_of(body: bytes) -> tuple[bytes, str | None]:
    """The decompressed text, and what is wrong with the compressed bytes."""
    reader = zlib.decompressobj(_GZIP)
    try:
        text = reader.decompress(body)
    except zlib.error:
        return _up_to_the_fault(body)
    if not reader.eof:
        return text, f"Ends after byte {len(body) - 1}, before the compressed data does."
    if reader.unused_data:
        return text, f"Byte {len(body) - len(reader.unused_data)}: something follows the compressed data."
    return text, None


def _up_to_the_fault(body: bytes) -> tuple[bytes, str]:
    reader, text = zlib.decompressobj(_GZIP), bytearray()
    for at in range(len(body)):
        try:
            text += reader.decompress(body[at : at + 1])
        except zlib.error as error:
            return bytes(text), f"Byte {at}: cannot be decompressed ({error})."
    return bytes(text), "Cannot be decompressed."
