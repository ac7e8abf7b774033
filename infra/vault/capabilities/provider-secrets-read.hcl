# Reads what identity providers gave tenants, to authenticate to them; keeps and destroys none.
path "kv/data/platforma/providers/*" { capabilities = ["read"] }
