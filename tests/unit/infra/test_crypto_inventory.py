"""docs/crypto.md says what the code does, and leaves no sealed record out."""

from infra import crypto_inventory


def test_the_committed_inventory_is_what_the_code_says():
    assert crypto_inventory.DOCUMENT.read_text() == crypto_inventory.document()


def test_every_purpose_that_is_sealed_for_is_in_it():
    assert all(f"purpose `{purpose}`" in crypto_inventory.document() for purpose in crypto_inventory.purposes())
    assert len(crypto_inventory.purposes()) >= 8
