# Vault Agent (or `bao agent`) for the service "billing": keeps its client certificate, and the roots that it verifies with.
#
#   python infra/vault/apply.py --addr ... --service billing --out first      (once; docs/operations.md)
#   copy first/* to /etc/platforma on the service's machine, then: vault agent -config=service-agent.hcl
#
# It signs in by the certificate that it holds and gets the next one before half of the 24 hours are over. A machine that was
# off for longer is given a first one again.

vault {
  address     = "https://vault.example.com:8200"
  ca_cert     = "/etc/platforma/ca.pem"
  client_cert = "/etc/platforma/client.pem"
  client_key  = "/etc/platforma/client.pem"
}

auto_auth {
  method "cert" {
    config = {
      name        = "service-billing"
      ca_cert     = "/etc/platforma/ca.pem"
      client_cert = "/etc/platforma/client.pem"
      client_key  = "/etc/platforma/client.pem"
      reload      = true
    }
  }
}

template_config {
  lease_renewal_threshold       = 0.4  # of a certificate's life, give or take a twentieth
  static_secret_render_interval = "5m" # how soon roots are seen that are trusted from now on
}

# Key, certificate and intermediate in one file, which is replaced in one step: whoever reads it reads a pair.
template {
  destination = "/etc/platforma/client.pem"
  perms       = "0600"
  contents    = <<EOT
{{ with secret "pki/issue/service-billing" "common_name=billing" "exclude_cn_from_sans=true" "uri_sans=spiffe://platforma/service/billing" "private_key_format=pkcs8" -}}
{{ .Data.private_key }}
{{ .Data.certificate }}
{{ index .Data.ca_chain 0 }}
{{ end -}}
EOT
}

# Two of them while the CA is replaced.
template {
  destination = "/etc/platforma/roots.pem"
  perms       = "0644"
  contents    = <<EOT
{{ range secrets "pki-root/issuers" -}}
{{ with secret (printf "pki-root/issuer/%s/json" .) }}{{ .Data.certificate }}{{ end -}}
{{ end -}}
EOT
}
