// A SAML identity provider made with samlp: signs the response, the assertion or both, and encrypts, by the path asked for.
// Says on one line at which port it listens; takes settings as JSON: its key and certificate, ours, where we listen,
// and (tls: chain, key, address) where it does, if not at this machine and in the clear.
const { readFileSync } = require("node:fs");
const http = require("node:http");
const https = require("node:https");

const [modules, given] = process.argv.slice(2);
const samlp = require(`${modules}/samlp`);
const settings = JSON.parse(given);
const modes = {
  "/assertion": { signAssertion: true, signResponse: false },
  "/response": { signAssertion: false, signResponse: true },
  "/both": { signAssertion: true, signResponse: true },
  "/encrypted": {
    signAssertion: true,
    signResponse: false,
    encryptionPublicKey: settings.ourKey,
    encryptionCert: settings.ourCertificate,
  },
};

function profileMapper(user) {
  return {
    getClaims: () => ({ email: user.email, name: user.name, groups: user.groups }),
    getNameIdentifier: () => ({
      nameIdentifier: user.id,
      nameIdentifierFormat: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    }),
  };
}

const [chain, key, address] = settings.tls || [];
const tls = chain && { cert: readFileSync(chain), key: readFileSync(key) };
const serving = (answer) => (tls ? https.createServer(tls, answer) : http.createServer(answer));
const server = serving((req, res) => {
  const asked = new URL(req.url, "http://localhost");
  req.query = Object.fromEntries(asked.searchParams);
  req.originalUrl = req.url;
  req.body = {};
  res.set = (name, value) => res.setHeader(name, value);
  res.send = (told) => {
    if (typeof told === "number") res.statusCode = told;
    res.end(typeof told === "number" ? "" : told);
  };
  samlp.auth({
    ...modes[asked.pathname],
    issuer: settings.issuer,
    key: settings.key,
    cert: settings.certificate,
    signingCert: settings.ourCertificate,
    destination: settings.acs,
    recipient: settings.acs,
    sessionIndex: "s1",
    profileMapper,
    getUserFromRequest: () => settings.user,
    getPostURL: (_audience, _request, _req, done) => done(null, settings.acs),
  })(req, res, (error) => {
    res.statusCode = 500;
    res.end(String(error && error.stack));
  });
});
server.listen(0, address || "127.0.0.1", () => console.log(server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
