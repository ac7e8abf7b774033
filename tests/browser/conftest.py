"""A real Chromium before the deployed system; it believes the server's key that our authority vouches for."""

import base64
import hashlib
import os
import re
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import sync_playwright

HOME = Path(__file__).resolve().parents[2] / ".tools" / "peers" / "browser"
NONE_OF_ITS_BUSINESS = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pings")


def pin(stack):
    """The hash of the server's key, once our authority has vouched for it: what Chromium shall believe and no other."""
    address = urlsplit(stack["url"])
    trusted = ssl.create_default_context(cafile=stack["ca_file"])
    with (
        socket.create_connection((address.hostname, address.port), timeout=10) as plain,
        trusted.wrap_socket(plain, server_hostname=address.hostname) as connection,
    ):
        shown = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))
    key = shown.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


@pytest.fixture(scope="session")
def chromium(running):
    inside = os.environ | {"LD_LIBRARY_PATH": str(HOME / "al2023" / "lib"), "FONTCONFIG_PATH": str(HOME / "fonts")}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=HOME / "chromium",
            env=inside,
            args=[
                "--no-sandbox",
                "--no-zygote",
                "--disable-gpu",
                *NONE_OF_ITS_BUSINESS,
                f"--ignore-certificate-errors-spki-list={pin(running.stack)}",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, running):
    context = chromium.new_context(base_url=running.stack["url"], locale="en-GB", viewport={"width": 800, "height": 900})
    page = context.new_page()
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on(
        "console",
        lambda said: (
            page.faults.append(said.text) if said.type == "error" and not re.search(r"status of 4\d\d", said.text) else None
        ),
    )
    yield page
    context.close()
    assert page.faults == []
