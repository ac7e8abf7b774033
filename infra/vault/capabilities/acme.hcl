# The account's key at the certificate authority.
path "kv/data/platforma/acme" { capabilities = ["read"] }
