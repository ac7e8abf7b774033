"""A client that runs in the browser itself: its page asks for tokens over the border of sites, and no other page does."""

from tests.browser.acting import allow, fill

ASK = """async ([url, init]) => {
  try {
    const reply = await fetch(url, init);
    return {status: reply.status, id: reply.headers.get("X-Request-Id"), body: await reply.json()};
  } catch (error) {
    return {blocked: error.name};
  }
}"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def test_a_page_of_the_clients_site_redeems_its_code_and_reads_who_signed_in(page, client, running):
    url = running.stack["url"]
    page.goto(client.link())
    fill(page, client.email)
    allow(page)
    code = client.answer(page)["code"]

    def ask(path, **init):
        return page.evaluate(ASK, [path if path.startswith("http") else url + path, init])

    found = ask("/.well-known/openid-configuration", headers={"X-Made-Up": "so that the browser asks first"})["body"]
    form = {
        "grant_type": "authorization_code",
        "client_id": client.id,
        "code": code,
        "redirect_uri": client.callback,
        "code_verifier": client.verifier,
    }
    body = "&".join(f"{name}={value}" for name, value in form.items())
    tokens = ask(found["token_endpoint"], method="POST", headers=FORM, body=body)
    person = ask(found["userinfo_endpoint"], headers={"Authorization": f"Bearer {tokens['body']['access_token']}"})
    again = ask(found["token_endpoint"], method="POST", headers=FORM, body=body)

    assert (tokens["status"], tokens["body"]["token_type"]) == (200, "Bearer")
    assert tokens["id"]
    assert (person["status"], person["body"]["sub"], person["body"]["email"]) == (200, client.user_id, client.email)
    assert (again["status"], again["body"]["error"]) == (400, "invalid_grant")


def test_a_page_of_another_site_reads_nothing_and_sends_no_cookie_along(page, client, running, token):
    app = {
        "name": "Elsewhere",
        "type": "public",
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
        "redirect_uris": ["https://elsewhere.test/callback"],
    }
    other = running.call("POST", "/v1/oauth-clients", token=token, json=app).json()["client_id"]
    page.goto(client.link())
    fill(page, client.email)
    allow(page)
    client.answer(page)

    def ask(path, **init):
        return page.evaluate(ASK, [running.stack["url"] + path, init])

    body = f"grant_type=authorization_code&client_id={other}&code=x"
    assert ask("/oauth2/token", method="POST", headers=FORM, body=body) == {"blocked": "TypeError"}
    assert ask("/.well-known/jwks.json", credentials="include") == {"blocked": "TypeError"}
    assert ask("/v1/me", credentials="include") == {"blocked": "TypeError"}
    page.faults.clear()  # the browser said so in its console
