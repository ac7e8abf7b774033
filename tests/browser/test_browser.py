import json


def test_the_browser_reaches_the_system_over_a_certificate_that_it_believes(page, running):
    answer = page.goto("/.well-known/openid-configuration")

    assert answer.status == 200
    assert json.loads(answer.text())["issuer"] == running.stack["url"]
    assert answer.security_details()["protocol"] == "TLS 1.3"
