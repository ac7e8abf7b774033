# The peppers of stored secrets, and the keys of lookups and cursors.
path "kv/data/platforma/peppers" { capabilities = ["read"] }
path "kv/data/platforma/secrets" { capabilities = ["read"] }
