"""A real Chromium, of the peers' own, before the deployed system. It trusts the stack's certificate by its public key."""

import base64
import hashlib
import os
import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import sync_playwright

HOME = Path(__file__).resolve().parents[2] / ".tools" / "peers" / "browser"
NONE_OF_ITS_BUSINESS = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-pings")


def pins(ca_file):
    """The keys of our authority, as Chromium's flag takes them: nothing else is believed that a public root did not sign."""
    certificates = x509.load_pem_x509_certificates(Path(ca_file).read_bytes())
    keys = [each.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) for each in certificates]
    return ",".join(base64.b64encode(hashlib.sha256(key).digest()).decode() for key in keys)


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
                f"--ignore-certificate-errors-spki-list={pins(running.stack['ca_file'])}",
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
