"""The audit log."""

from platforma.edge.endpoints.row import Endpoint, row

_STREAMS = "/v1/audit/streams"
_WITNESSES = "/v1/audit/witnesses"

ENDPOINTS: tuple[Endpoint, ...] = (
    row(
        *("POST", "/v1/audit/events", "audit.events.write", "audit_events", "permission", "Write events of another service"),
        body="audit.ExternalEvents",
        answer="audit.ExternalWritten",
    ),
    row(
        *(
            "GET",
            "/v1/audit/events/{id}/proof",
            "audit.proofs.get",
            "audit_events",
            "permission",
            "Prove that an event is in the log",
        ),
        resource="event",
        answer="audit.ProofView",
        may_wait=True,
    ),
    row(
        *("GET", "/v1/audit/events/{id}/disclosure", "audit.disclosures.get", "audit_events", "permission"),
        "One event with its proof, for a third party to verify offline",
        resource="event",
        answer="audit.DisclosureView",
        query="audit.DisclosureQuery",
        may_wait=True,
    ),
    row(
        *("GET", "/v1/audit/logs", "audit.logs.list", "audit_events", "permission", "List the tenant's logs"),
        answer="audit.LogList",
    ),
    row(
        *("GET", "/v1/audit/consistency", "audit.consistency.get", "audit_events", "permission"),
        "Prove that a log only grew",
        answer="audit.ConsistencyView",
        query="audit.ConsistencyQuery",
    ),
    row(
        *(
            "GET",
            "/audit/{log_id}/keys",
            "audit.keys.list",
            "audit_events",
            "permission",
            "The keys that sign a log's checkpoints",
        ),
        answer="audit.LogKeys",
    ),
    row(
        *(
            "GET",
            "/audit/{log_id}/checkpoint",
            "audit.checkpoints.get",
            "audit_events",
            "permission",
            "A log's newest checkpoint",
        ),
        produces="text/plain; charset=utf-8",
    ),
    row(
        *("GET", "/v1/audit/completeness", "audit.completeness.get", "audit_events", "permission"),
        "Show that every request has its event",
        answer="audit.CompletenessView",
        query="audit.CompletenessQuery",
    ),
    row(
        *("GET", "/v1/audit/retention", "audit.retention.get", "audit_events", "permission"),
        "How long the log is kept, and whether it is held",
        answer="audit.RetentionView",
    ),
    row(
        *("PUT", "/v1/audit/retention", "audit.retention.set", "audit_events", "permission"),
        "Keep the log for longer, or hold it",
        body="audit.Retention",
        answer="audit.RetentionView",
    ),
    row(
        *("POST", "/v1/audit/exports", "audit.events.export", "audit_events", "permission", "Export events"),
        body="audit.NewExport",
        answer="audit.ExportView",
        status=202,
    ),
    row(
        *("GET", "/v1/audit/exports", "audit.exports.list", "audit_events", "permission", "List exports"),
        answer="audit.ExportList",
        query="common.Paging",
    ),
    row(
        *("GET", "/v1/audit/exports/{id}", "audit.exports.get", "audit_events", "permission"),
        "How far an export is, and where its files are",
        resource="export",
        answer="audit.ExportView",
        query="audit.ExportQuery",
    ),
    row(
        *("POST", _STREAMS, "audit.streams.create", "audit_events", "permission"),
        "Push events to a receiver as they are entered",
        body="audit.NewStream",
        answer="audit.StreamMade",
        status=201,
        secret=True,
    ),
    row(
        *("GET", _STREAMS, "audit.streams.list", "audit_events", "permission", "List streams"),
        answer="audit.StreamList",
        query="common.Paging",
    ),
    row(
        *("GET", f"{_STREAMS}/{{id}}", "audit.streams.get", "audit_events", "permission"),
        "A stream, and how it goes",
        resource="stream",
        answer="audit.StreamView",
    ),
    row(
        *("PATCH", f"{_STREAMS}/{{id}}", "audit.streams.update", "audit_events", "permission"),
        "Change a stream, or resume it",
        resource="stream",
        body="audit.StreamChange",
        answer="audit.StreamView",
        if_match=True,
    ),
    row(
        *("DELETE", f"{_STREAMS}/{{id}}", "audit.streams.delete", "audit_events", "permission", "Push nothing more"),
        resource="stream",
        status=204,
        if_match=True,
    ),
    row(
        *("POST", f"{_STREAMS}/{{id}}/secret", "audit.stream_secrets.rotate", "audit_events", "permission"),
        "Give a stream another secret",
        resource="stream",
        answer="audit.StreamMade",
        status=201,
        secret=True,
    ),
    row(
        *("POST", f"{_STREAMS}/{{id}}/replay", "audit.streams.replay", "audit_events", "permission"),
        "Push again from a sequence on",
        resource="stream",
        body="audit.Replay",
        answer="audit.StreamView",
        status=202,
    ),
    row(
        *("POST", _WITNESSES, "audit.witnesses.create", "audit_events", "permission"),
        "Offer checkpoints to a witness as they are made (C2SP tlog-witness)",
        body="audit.NewWitness",
        answer="audit.WitnessView",
        status=201,
    ),
    row(
        *("GET", _WITNESSES, "audit.witnesses.list", "audit_events", "permission", "List witnesses"),
        answer="audit.WitnessList",
        query="common.Paging",
    ),
    row(
        *("GET", f"{_WITNESSES}/{{id}}", "audit.witnesses.get", "audit_events", "permission"),
        "A witness, and what it cosigned",
        resource="witness",
        answer="audit.WitnessView",
    ),
    row(
        *("DELETE", f"{_WITNESSES}/{{id}}", "audit.witnesses.delete", "audit_events", "permission"),
        "Offer a witness nothing more",
        resource="witness",
        status=204,
        if_match=True,
    ),
    row(
        *("GET", "/audit/{log_id}/tile/{path+}", "audit.tiles.get", "audit_events", "permission"),
        "A tile of a log's tree, or a bundle of its entries (C2SP tlog-tiles)",
        produces="application/octet-stream",
    ),
    row(
        *("GET", "/v1/audit/events", "audit.events.search", "audit_events", "own", "Search the audit log"),
        answer="audit.EventList",
        query="audit.EventQuery",
    ),
    row(
        *("GET", "/v1/audit/events/{id}", "audit.events.get", "audit_events", "own", "Read an audit event"),
        resource="event",
        answer="audit.EventView",
        also=(304,),
    ),
)
