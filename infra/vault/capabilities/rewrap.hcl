# Wraps data keys anew without seeing them, and ends the versions that nothing is under any more.
path "transit/rewrap/tenant-*" { capabilities = ["update"] }
path "transit/keys/tenant-*" {
  capabilities = ["read", "update"]
  allowed_parameters = {
    "min_decryption_version" = []
    "min_encryption_version" = []
    "min_available_version"  = []
  }
}
