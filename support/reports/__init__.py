"""What the provider wants to know over all customers: questions whose answers are a page, a file and a command."""

from support.reports import contracts, emergency, factors, outside, phones, signins
from support.reports.base import Report

# In the order of the page.
REPORTS: dict[str, Report] = {
    report.slug: report
    for report in (
        outside.Outside(),
        phones.Phones(),
        factors.SecondFactors(),
        emergency.EmergencyCalls(),
        contracts.Contracts(),
        signins.BlockedSignIns(),
    )
}
