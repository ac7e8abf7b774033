"""A framework's controls as they stand now for one tenant."""

from platforma.compliance.evidence import Sources, gather
from platforma.compliance.gdpr import GDPR
from platforma.compliance.iso27001 import ISO27001
from platforma.compliance.model import Finding, Report
from platforma.compliance.soc2 import SOC2
from platforma.kernel.errors import NotFound

FRAMEWORKS = {framework.id: framework for framework in (SOC2, ISO27001, GDPR)}


def make_report(framework_id: str, tenant_id: str, *, sources: Sources) -> Report:
    """
    The report, its evidence gathered while this is called.

    Raises:
        NotFound: there is no such framework.
    """
    framework = FRAMEWORKS.get(framework_id)
    if framework is None:
        raise NotFound
    wanted = {name for control in framework.controls for name in control.evidence}
    seen = gather(tenant_id, sources, wanted)
    findings = [Finding(control, tuple(seen[name] for name in control.evidence)) for control in framework.controls]
    return Report(framework, tenant_id, sources.clock(), findings)
