# Keeps and destroys what identity providers gave tenants; whoever signs people in reads it, and this does not.
path "kv/data/platforma/providers/*"     { capabilities = ["create", "update"] }
path "kv/metadata/platforma/providers/*" { capabilities = ["delete"] }
