// An OpenID provider made with oidc-provider, over TLS. Says on one line at which port it listens; each line that it is then
// sent is its settings (JSON: issuer, clients, keys, users) from there on, answered by a line; codes and sessions stay.
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [modules, chain, key, address] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(`${modules}/oidc-provider/lib/index.js`));
const GROUPS = "openid email profile groups";

function providing({ issuer, clients, keys, users }) {
  return new Provider(issuer, {
    clients,
    jwks: { keys },
    cookies: { keys: ["one that signs cookies in tests"] },
    scopes: ["openid", "groups"],
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id, ...users[id] }) }),
    async loadExistingGrant(ctx) {
      const { client, session, provider } = ctx.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(GROUPS);
      await grant.save();
      return grant;
    },
    pkce: { required: () => true },
    features: { backchannelLogout: { enabled: true } },
    // It would refuse to call this machine, and give up where a function starts cold.
    fetch: (url, { dispatcher, signal, ...options }) => fetch(url, { ...options, signal: AbortSignal.timeout(30_000) }),
  }).callback();
}

let answer;
const tls = { cert: readFileSync(chain), key: readFileSync(key) };
const server = createServer(tls, (req, res) => answer(req, res));
console.warn = console.info = () => {}; // that it is not for production
server.listen(0, address, () => console.log(server.address().port));
createInterface({ input: process.stdin })
  .on("line", (line) => {
    answer = providing(JSON.parse(line));
    console.log("ready");
  })
  .on("close", () => process.exit(0));
