import base64

from platforma.edge.answer import Answer


def test_bytes_go_out_in_base64_under_their_media_type():
    result = Answer(200, b"\x00\xff", media_type="application/octet-stream").as_proxy_result("r")

    assert result["isBase64Encoded"] is True
    assert base64.b64decode(result["body"]) == b"\x00\xff"
    assert result["headers"]["Content-Type"] == "application/octet-stream"


def test_a_text_goes_out_as_it_is():
    result = Answer(200, "<p>ü</p>", media_type="text/html; charset=utf-8").as_proxy_result("r")

    assert result["body"] == "<p>ü</p>"
    assert "isBase64Encoded" not in result


def test_each_cookie_is_a_header_of_its_own():
    result = Answer(303, headers={"Location": "/x"}, cookies=("a=1; Secure", "b=2; Secure")).as_proxy_result("r")

    assert result["multiValueHeaders"] == {"Set-Cookie": ["a=1; Secure", "b=2; Secure"]}
    assert result["body"] == ""
