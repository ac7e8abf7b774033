"""Objects and uploads."""

from platforma import bootstrap
from platforma.edge.answer import Answer, created, listed, shown
from platforma.edge.api import API
from platforma.edge.call import Call
from platforma.edge.conditional import put
from platforma.edge.objects import content_type_of, headers_of, key_of, unchanged, version_of
from platforma.edge.ranges import asked_range, check_digest
from platforma.edge.schemas.objects import ObjectView, PartView, UploadView

api = API("keys_objects", bootstrap.edge)


@api.serves("objects.objects.list")
def list_objects(call: Call) -> Answer:
    items, after = bootstrap.objects.list_objects(call.tenant_id, prefix=call.parameters.prefix, **call.page())
    return listed([ObjectView.of(item) for item in items], call.next_cursor(after))


@api.serves("objects.objects.put")
def put_object(call: Call) -> Answer:
    key, media_type = key_of(call), content_type_of(call)
    check_digest(call.headers, call.raw)

    def write(version: int | None) -> Answer:
        item = bootstrap.objects.put_object(
            call.tenant_id, key, call.raw, content_type=media_type, if_match=version, attempt=call.attempt
        )
        return shown(ObjectView.of(item), item.version)

    return put(call, write)


@api.serves("objects.objects.get")
def get_object(call: Call) -> Answer:
    item, head = bootstrap.objects.read_object(call.tenant_id, key_of(call), **version_of(call))
    if known := unchanged(call, item):
        return known
    headers = headers_of(item)
    asked = asked_range(call.headers, item.size, headers["ETag"])
    start, end = asked or (0, item.size)
    body = bootstrap.objects.read_bytes(call.tenant_id, head, start=start, end=end)
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{item.size}"
    return Answer(206 if asked else 200, body, headers, "application/octet-stream", resource=item.id)


@api.serves("objects.objects.head")
def head_object(call: Call) -> Answer:
    item, _ = bootstrap.objects.read_object(call.tenant_id, key_of(call), **version_of(call))
    # As GET would send it (RFC 9110 section 9.3.2).
    headers = {**headers_of(item), "Content-Type": "application/octet-stream"}
    return unchanged(call, item) or Answer(200, None, headers, resource=item.id)


@api.serves("objects.objects.delete")
def delete_object(call: Call) -> Answer:
    bootstrap.objects.delete_object(call.tenant_id, key_of(call), if_match=call.if_match, attempt=call.attempt)
    return Answer(204)


@api.serves("objects.uploads.create")
def start_upload(call: Call) -> Answer:
    key = bootstrap.objects.parse_key(call.body.key)
    upload = bootstrap.objects.start_upload(call.tenant_id, key, call.body.content_type, attempt=call.attempt)
    return created(UploadView.of(upload), 1, upload.id)


@api.serves("objects.parts.put")
def put_part(call: Call) -> Answer:
    check_digest(call.headers, call.raw)
    text = call.path["n"]
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    part = bootstrap.objects.put_part(call.tenant_id, call.path["id"], number, call.raw, attempt=call.attempt)
    return Answer(200, PartView.of({"n": number, "size": part.size, "sha256": part.sha256.hex()}))


@api.serves("objects.uploads.complete")
def complete_upload(call: Call) -> Answer:
    def write(version: int | None) -> Answer:
        item = bootstrap.objects.complete_upload(
            call.tenant_id, call.path["id"], call.body.parts, if_match=version, attempt=call.attempt
        )
        return shown(ObjectView.of(item), item.version)

    return put(call, write)


@api.serves("objects.uploads.delete")
def abort_upload(call: Call) -> Answer:
    bootstrap.objects.abort_upload(call.tenant_id, call.path["id"], attempt=call.attempt)
    return Answer(204)


handler = api.handler
