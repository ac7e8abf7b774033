// The forms that a passkey answers: shown where there is WebAuthn, sent with what the authenticator said.
"use strict";
for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const alert = form.querySelector("[role=alert]");
    alert.hidden = true;
    const options = JSON.parse(form.dataset.options);
    try {
      const answer =
        form.dataset.passkey === "create"
          ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
          : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
      form.elements.passkey.value = JSON.stringify(answer.toJSON());
    } catch {
      alert.hidden = false; // no passkey, or the person changed their mind
      return;
    }
    HTMLFormElement.prototype.submit.call(form);
  });
}
