"""SAML 2.0 service provider. Needs lxml and signxml, which stand in a layer of their own."""
