"""Whom a sign-in by a SAML provider may make, link and change, and whom it may not."""

from platforma import bootstrap
from tests.fakes.saml_browser import Visitor, connection_of
from tests.signing_in import Browser
from tests.unit.edge.saml.looking import refused, user_of, why
from tests.world import Tenant


def test_an_invited_user_is_linked_by_a_proved_domain_and_active_from_then_on(ada, tenant):
    body = {"email": "ada@acme.test", "name": "Ada", "roles": ["billing"]}
    invited = tenant.call("POST", "/v1/users", body, expect=201).json

    ada.sign_in()

    user = user_of(ada)
    assert (user["id"], user["status"], user["roles"]) == (invited["id"], "active", ["billing"])
    assert (user["managed_by"], user["mapped_roles"]) == ("manual", ["operator"])


def test_takeover_of_a_user_with_a_password_by_an_address(ada, tenant):
    tenant.user("ada@acme.test", roles=("admin",))

    reference = refused(ada.sign_in(), ada)

    assert "in another way already" in why(ada.connection, reference)
    (event,) = [each for each in tenant.events(action="sso.assertions.consume") if each["request_id"] == reference]
    assert (event["result"], event["reason"], event["principal_type"]) == ("denied", "signs_in_otherwise", "system")


def test_takeover_by_a_second_connection_of_the_tenant(ada, tenant, world):
    ada.sign_in()
    second = Visitor(connection_of(tenant, name="Second", vouched=()), Browser(world))

    refused(second.sign_in(), second)
    refused(second.sign_in(name_id="other", attributes={"email": ["ada@acme.test"]}), second)


def test_takeover_by_another_tenants_connection_for_the_domain(ada, world):
    ada.sign_in()
    other = world.tenant("other", "admin@other.test")
    theirs = Visitor(connection_of(other, vouched=()), Browser(world))

    reference = refused(theirs.sign_in(), theirs)

    assert "not proved" in why(theirs.connection, reference)


def test_nobody_is_provisioned_for_a_domain_that_is_not_proved(tenant, world):
    ada = Visitor(connection_of(tenant, vouched=()), Browser(world))

    refused(ada.sign_in(), ada)

    assert not [each for each in tenant.call("GET", "/v1/users").json["items"] if each["email"] == "ada@acme.test"]


def test_nobody_of_another_domain_signs_in_though_the_provider_says_so(ada):
    reference = refused(ada.sign_in(attributes={"email": ["ceo@victim.test"]}), ada)

    assert why(ada.connection, reference) == "The connection is not for the domain victim.test."


def test_a_known_person_whose_address_moves_to_another_domain_does_not_sign_in(ada, world):
    ada.sign_in()
    again = Visitor(ada.connection, Browser(world))

    refused(again.sign_in(attributes={"email": ["ada@elsewhere.test"]}), again)


def test_a_removed_user_does_not_come_back(ada, tenant, world):
    ada.sign_in()
    tenant.call("DELETE", f"/v1/users/{user_of(ada)['id']}", headers={"If-Match": "*"}, expect=204)
    again = Visitor(ada.connection, Browser(world))

    reference = refused(again.sign_in(), again)

    assert "removed" in why(ada.connection, reference)


def test_a_suspended_user_does_not_sign_in(ada, tenant, world):
    ada.sign_in()
    body = {"status": "suspended"}
    tenant.call("PATCH", f"/v1/users/{user_of(ada)['id']}", body, headers={"If-Match": "*"}, expect=200)
    again = Visitor(ada.connection, Browser(world))

    refused(again.sign_in(), again)


def test_a_connection_that_makes_nobody_makes_nobody(tenant, world):
    ada = Visitor(connection_of(tenant, provisioning={"jit": False}), Browser(world))

    refused(ada.sign_in(), ada)


def test_equal_names_of_two_formats_are_two_people(ada, world):
    ada.sign_in()
    other = Visitor(ada.connection, Browser(world))
    format_ = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

    refused(other.sign_in(name_id_format=format_), other)


def test_the_last_administrator_by_a_mapping_keeps_the_role_and_the_log_says_so(tenant, world):
    mapping = [{"group": "Engineers", "role": "admin"}]
    connection = connection_of(tenant, group_mappings=mapping, provisioning={"jit": True})
    ada = Visitor(connection, Browser(world))
    ada.sign_in()
    user = user_of(ada)
    _have_a_password(tenant, user["id"])
    body = {"status": "suspended"}
    tenant.call("PATCH", f"/v1/users/{tenant.admin_id}", body, headers={"If-Match": "*"}, expect=200)

    Visitor(connection, Browser(world)).sign_in(attributes={"email": ["ada@acme.test"], "groups": []})

    assert user_of(ada)["mapped_roles"] == ["admin"]
    reasons = [each.get("reason") for each in tenant.events(action="sso.assertions.consume")]
    assert "kept_last_administrator" not in reasons  # nothing changed, and so nothing was written


def _have_a_password(tenant: Tenant, user_id: str) -> None:
    directory = bootstrap.parts.identity.directory()
    before = directory.user(tenant.id, user_id)
    attempt = Browser(tenant.world).attempt(tenant.id, user_id, "settings.passwords.set")
    after = type(before)(**{name: getattr(before, name) for name in before.__slots__} | {"version": before.version + 1})
    directory.set_password(before, after, "a hash", attempt.event("success", resource=user_id))
