"""Objects and uploads."""

from platforma.edge.endpoints.row import Endpoint, row

_PART = 4 << 20
_CONDITIONS = (409, 412, 422, 428)

ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        *("GET", "/v1/objects", "objects.objects.list", "keys_objects", "permission", "List objects by prefix"),
        answer="objects.ObjectList",
        query="objects.ObjectsQuery",
    ),
    row(
        *("PUT", "/v1/objects/{key+}", "objects.objects.put", "keys_objects", "permission", "Store an object"),
        answer="objects.ObjectView",
        consumes="bytes",
        max_body=_PART,
        refuses=_CONDITIONS,
    ),
    row(
        *("GET", "/v1/objects/{key+}", "objects.objects.get", "keys_objects", "permission", "Read an object, or a range"),
        query="objects.VersionQuery",
        produces="application/octet-stream",
        also=(206, 304),
        refuses=(412, 413, 416),
    ),
    row(
        *("HEAD", "/v1/objects/{key+}", "objects.objects.head", "keys_objects", "permission", "What is known of an object"),
        query="objects.VersionQuery",
        produces="application/octet-stream",
        also=(304,),
        refuses=(412,),
    ),
    row(
        *("DELETE", "/v1/objects/{key+}", "objects.objects.delete", "keys_objects", "permission", "Delete an object"),
        status=204,
        if_match=True,
        refuses=(422,),
    ),
    row(
        *("POST", "/v1/uploads", "objects.uploads.create", "keys_objects", "permission", "Start an upload by parts"),
        body="objects.UploadCreate",
        answer="objects.UploadView",
        status=201,
    ),
    row(
        *("PUT", "/v1/uploads/{id}/parts/{n}", "objects.parts.put", "keys_objects", "permission", "Send a part"),
        resource="upload",
        answer="objects.PartView",
        consumes="bytes",
        max_body=_PART,
        refuses=(409, 422),
    ),
    row(
        *("POST", "/v1/uploads/{id}/complete", "objects.uploads.complete", "keys_objects", "permission"),
        "Make the object of its parts",
        resource="upload",
        body="objects.UploadComplete",
        answer="objects.ObjectView",
        refuses=_CONDITIONS,
    ),
    row(
        *("DELETE", "/v1/uploads/{id}", "objects.uploads.delete", "keys_objects", "permission", "Abort an upload"),
        resource="upload",
        status=204,
        refuses=(409,),
    ),
)
