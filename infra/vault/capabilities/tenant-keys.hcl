# Makes a tenant's key, of the one kind that we use (never one that can be exported), and destroys it with the tenant, and
# what identity providers gave it, which this cannot read; signs the statement of that, and shows the public halves of what
# it signs by.
path "transit/keys/tenant-*" {
  capabilities = ["create", "read", "update", "delete"]
  allowed_parameters = {
    "type"               = ["aes256-gcm96"]
    "derived"            = [true]
    "auto_rotate_period" = []
    "deletion_allowed"   = [true]
  }
}
path "kv/metadata/platforma/providers/*" { capabilities = ["list", "delete"] }
path "transit/sign/statements" { capabilities = ["create", "update"] }
path "transit/keys/statements" { capabilities = ["read"] }
