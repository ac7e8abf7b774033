"""The device authorization grant (RFC 8628): a device asks, and its person allows it in a browser elsewhere."""
