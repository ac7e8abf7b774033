// A client made with openid-client, which knows the issuer and finds all else by itself: registers by an initial access
// token, pushes its request, binds its tokens by DPoP, refreshes, revokes, signs out. One line out for each address that the
// browser is sent to, as JSON, and one line in for where it came back; the last line is what the client was told.
import { createInterface } from "node:readline/promises";
import { pathToFileURL } from "node:url";

const [modules, issuer, scenario, given] = process.argv.slice(2);
const client = await import(pathToFileURL(`${modules}/openid-client/build/index.js`));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const visit = async (url) => {
  console.log(JSON.stringify({ visit: url.href }));
  return new URL((await lines.next()).value);
};
const server = new URL(issuer);
const redirect_uri = "https://client.test/callback";
const scope = "openid profile email offline_access infrastructure:read";
const end = (told) => {
  console.log(JSON.stringify({ told }));
  process.exit();
};

async function asked(config, more = {}, dpop = undefined) {
  const verifier = client.randomPKCECodeVerifier();
  const [state, nonce] = [client.randomState(), client.randomNonce()];
  const parameters = {
    redirect_uri, scope, state, nonce, code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256", ...more,
  };
  const url = dpop
    ? await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP: dpop })
    : client.buildAuthorizationUrl(config, parameters);
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
  const tokens = await client.authorizationCodeGrant(config, await visit(url), checks, undefined, { DPoP: dpop });
  return { url, tokens };
}

const scenarios = {
  async registered({ initial_access_token }) {
    const metadata = {
      client_name: "stock", redirect_uris: [redirect_uri], grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "client_secret_post",
      post_logout_redirect_uris: ["https://client.test/out"], scope, dpop_bound_access_tokens: true,
      require_pushed_authorization_requests: true, id_token_signed_response_alg: "ES256",
    };
    const config = await client.dynamicClientRegistration(server, metadata, undefined, {
      initialAccessToken: initial_access_token,
    });
    const dpop = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
    const { url, tokens } = await asked(config, {}, dpop);
    const claims = tokens.claims();
    const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP: dpop });
    const api = await client.fetchProtectedResource(
      config, tokens.access_token, new URL("/v1/me", issuer), "GET", null, undefined, { DPoP: dpop },
    );
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP: dpop });
    const introspected = await client.tokenIntrospection(config, refreshed.access_token);
    const out = await visit(client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token, post_logout_redirect_uri: "https://client.test/out", state: "done",
    }));
    const dead = await client
      .refreshTokenGrant(config, refreshed.refresh_token, undefined, { DPoP: dpop })
      .catch((error) => error.error);
    end({
      asked: [...url.searchParams.keys()].sort(), type: tokens.token_type, sub: claims.sub, email: person.email,
      me: api.status, rotated: refreshed.refresh_token !== tokens.refresh_token, introspected, out: out.href, dead,
    });
  },
  async public({ client_id }) {
    const config = await client.discovery(server, client_id, undefined, client.None());
    const { tokens } = await asked(config);
    await client.tokenRevocation(config, tokens.refresh_token);
    const dead = await client.refreshTokenGrant(config, tokens.refresh_token).catch((error) => error.error);
    const silent = await asked(config, { prompt: "none" });
    const refused = await asked(config, { prompt: "none", id_token_hint: silent.tokens.id_token, max_age: "0" }).catch(
      (error) => error.error,
    );
    end({ sub: tokens.claims().sub, type: tokens.token_type, dead, silent: silent.tokens.claims().sub, refused });
  },
  async signed({ client_id, jwk }) {
    const key = await crypto.subtle.importKey("jwk", JSON.parse(jwk), { name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
    const config = await client.discovery(server, client_id, undefined, client.None());
    const verifier = client.randomPKCECodeVerifier();
    const [state, nonce] = [client.randomState(), client.randomNonce()];
    const url = await client.buildAuthorizationUrlWithJAR(
      config,
      {
        redirect_uri, scope: "openid", state, nonce, code_challenge: await client.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      },
      key,
    );
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
    const tokens = await client.authorizationCodeGrant(config, await visit(url), checks);
    const unsigned = await asked(config).catch((error) => error.error);
    end({ asked: [...url.searchParams.keys()].sort(), sub: tokens.claims().sub, unsigned });
  },
  async device({ client_id }) {
    const config = await client.discovery(server, client_id, undefined, client.None());
    const asked = await client.initiateDeviceAuthorization(config, { scope: "openid email offline_access" });
    await visit(new URL(asked.verification_uri_complete));
    const tokens = await client.pollDeviceAuthorizationGrant(config, asked);
    const person = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
    end({ sub: person.sub, email: person.email, rotated: refreshed.refresh_token !== tokens.refresh_token });
  },
};
await scenarios[scenario](JSON.parse(given));
