"""
Encrypted assertions (XML Encryption 1.1): AES-GCM under a key that RSA-OAEP wraps for us; AES-CBC only where opted in.

CBC has no authentication of its own, and whoever may ask often and tell failures apart reads it: every failure is one and
the same here, and costs the same steps.
"""

import binascii
import os
from base64 import b64decode

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from platforma.sso.saml.errors import AssertionRejected
from platforma.sso.saml.xml import DS, SAML, XENC, UnreadableXML, parse_xml, text_of

_XENC11 = "http://www.w3.org/2009/xmlenc11#"
_GCM = {f"{_XENC11}aes128-gcm": 16, f"{_XENC11}aes192-gcm": 24, f"{_XENC11}aes256-gcm": 32}
_CBC = {f"{XENC}aes128-cbc": 16, f"{XENC}aes192-cbc": 24, f"{XENC}aes256-cbc": 32}
_HASHES: dict[str | None, type[hashes.HashAlgorithm]] = {
    None: hashes.SHA1,
    f"{DS}sha1": hashes.SHA1,
    f"{XENC}sha256": hashes.SHA256,
    f"{XENC}sha512": hashes.SHA512,
}
_MGF: dict[str | None, type[hashes.HashAlgorithm]] = {
    None: hashes.SHA1,
    f"{_XENC11}mgf1sha1": hashes.SHA1,
    f"{_XENC11}mgf1sha256": hashes.SHA256,
    f"{_XENC11}mgf1sha512": hashes.SHA512,
}


def decrypt_assertion(
    encrypted: etree._Element, keys: list[rsa.RSAPrivateKey], *, allow_cbc: bool = False
) -> etree._Element:
    """
    The assertion in an `EncryptedAssertion`, as the root of a document of its own. Nothing about it is verified yet.

    Raises:
        AssertionRejected: it is not for us, by an algorithm that is not taken, or does not open; one error for all.
    """
    refused = AssertionRejected("The assertion is not encrypted for us by an algorithm that is taken.")
    data = encrypted.findall(f"{{{XENC}}}EncryptedData")
    wrapped = list(encrypted.iter(f"{{{XENC}}}EncryptedKey"))
    if len(data) != 1 or len(wrapped) != 1:
        raise refused
    algorithm = _algorithm(data[0])
    size = {**_GCM, **(_CBC if allow_cbc else {})}.get(algorithm or "")
    if size is None:
        raise refused
    try:
        box, ciphertext = _cipher_value(wrapped[0]), _cipher_value(data[0])
        oaep = _oaep(wrapped[0])
    except (binascii.Error, ValueError, KeyError):
        raise refused from None
    # A key that does not unwrap is replaced by a random one, so that all that follows is done whatever was wrong.
    content = _unwrapped(box, keys, oaep, size)
    plaintext = _gcm(content, ciphertext) if algorithm in _GCM else _cbc(content, ciphertext)
    try:
        assertion = parse_xml(plaintext) if plaintext is not None else None
    except UnreadableXML:
        assertion = None
    if assertion is None or assertion.tag != f"{{{SAML}}}Assertion":
        raise refused
    return assertion


def _algorithm(element: etree._Element) -> str | None:
    method = element.find(f"{{{XENC}}}EncryptionMethod")
    return None if method is None else method.get("Algorithm")


def _cipher_value(element: etree._Element) -> bytes:
    values = element.findall(f"{{{XENC}}}CipherData/{{{XENC}}}CipherValue")
    if len(values) != 1:
        raise ValueError
    return b64decode("".join(text_of(values[0]).split()), validate=True)


def _oaep(element: etree._Element) -> padding.OAEP:
    method = element.find(f"{{{XENC}}}EncryptionMethod")
    if method is None or method.get("Algorithm") not in (f"{XENC}rsa-oaep-mgf1p", f"{_XENC11}rsa-oaep"):
        raise ValueError
    digest, mgf = method.find(f"{{{DS}}}DigestMethod"), method.find(f"{{{_XENC11}}}MGF")
    if method.find(f"{{{XENC}}}OAEPparams") is not None:
        raise ValueError
    algorithm = _HASHES[None if digest is None else digest.get("Algorithm")]()
    mask = _MGF[None if mgf is None else mgf.get("Algorithm")]()
    return padding.OAEP(padding.MGF1(mask), algorithm, None)


def _unwrapped(box: bytes, keys: list[rsa.RSAPrivateKey], oaep: padding.OAEP, size: int) -> bytes:
    found = os.urandom(size)
    for key in keys:
        try:
            opened = key.decrypt(box, oaep)
        except ValueError:
            continue
        if len(opened) == size:
            found = opened
    return found


def _gcm(key: bytes, ciphertext: bytes) -> bytes | None:
    try:
        return AESGCM(key).decrypt(ciphertext[:12], ciphertext[12:], None)
    except (InvalidTag, ValueError):
        return None


def _cbc(key: bytes, ciphertext: bytes) -> bytes | None:
    if len(ciphertext) < 32 or len(ciphertext) % 16:
        return None
    opener = Cipher(algorithms.AES(key), modes.CBC(ciphertext[:16])).decryptor()
    padded = opener.update(ciphertext[16:]) + opener.finalize()
    return padded[: -padded[-1]] if 1 <= padded[-1] <= 16 else None
