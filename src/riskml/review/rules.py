"""Who may say what of a model version, and where it stands: read from the statements alone."""

from dataclasses import dataclass

from riskml.errors import RiskmlError
from riskml.review.statements import KINDS

__all__ = [
    "TRAINERS",
    "Standing",
    "check_may_decide",
    "check_may_open",
    "completes",
    "missing_approvals",
    "replay_faults",
    "standing",
]

TRAINERS = ", "  # between the codes of those who trained one version, where several did


@dataclass(frozen=True)
class Standing:
    """Where a model version stands in its review.

    Attributes
    ----------
    version : str
    opening : Statement or None    that opened its latest review
    approvals : tuple of Statement    of that review
    rejection : Statement or None     that stopped it
    approval : Statement or None      the last one needed, of the latest review that was approved and has not
        been rejected since: what lets the version be used, until its `expires_on`
    """

    version: str
    opening: object = None
    approvals: tuple = ()
    rejection: object = None
    approval: object = None

    @property
    def status(self):
        """Of the latest review: none, open, approved or rejected."""
        if self.opening is None:
            return "none"
        if self.rejection is not None:
            return "rejected"
        return "approved" if any(s.expires_on for s in self.approvals) else "open"

    def in_force(self, today):
        """Whether the version may be used on a day: bool."""
        return self.approval is not None and today < self.approval.expires_on


def standing(statements, version):
    """Where a version stands: Standing.

    Parameters
    ----------
    statements : list of Statement    of the model, in order
    version : str                     of the bundle
    """
    opening, approvals, rejection, approval = None, (), None, None
    for statement in (s for s in statements if s.version == version):
        if statement.kind == "open":
            opening, approvals, rejection = statement, (), None
        elif statement.kind == "reject":
            rejection, approval = statement, None
        elif statement.kind == "approve":
            approvals += (statement,)
            approval = statement if statement.expires_on else approval
    return Standing(version, opening, approvals, rejection, approval)


def check_may_open(statements, version):
    """Refuse a second review beside an open one.

    A rejected version may be reviewed anew, and an approved one renewed: its approval holds meanwhile.

    Raises
    ------
    RiskmlError    a review of this version is open
    """
    now = standing(statements, version)
    if now.status == "open":
        raise RiskmlError(
            f"a review of version {version} is open (statement {now.opening.number})",
            where="riskml review",
            mend="Approve or reject it; `riskml review show` says what is missing.",
        )


def check_may_decide(statements, version, kind, person, role, *, synthetic=False):
    """Refuse an approval or a rejection that the rules do not allow.

    Approvals come from people with different roles, each once, none of whom trained the model. A rejection
    stops the review, and withdraws an approval that was completed; anybody with a role may make one, who
    trained the model too.

    Parameters
    ----------
    statements : list of Statement    of the model, in order
    version : str
    kind : "approve" or "reject"
    person, role : str
    synthetic : bool

    Raises
    ------
    RiskmlError    what the rules do not allow, and what would be allowed
    """
    now = standing(statements, version)
    if now.opening is None or now.status == "rejected":
        what = "no review of this version has been opened" if now.opening is None else _stopped(now)
        raise RiskmlError(
            what,
            where=f"version {version}",
            mend="`riskml review open NAME@VERSION` opens one.",
        )
    if kind == "reject":
        return
    if now.opening.synthetic != synthetic:
        raise RiskmlError(
            "a review by synthetic reviewers and one by people are never mixed",
            where=f"version {version}",
            mend="Reject this review, then open another.",
        )
    if now.status == "approved":
        raise RiskmlError(
            f"is approved already, until {now.approval.expires_on}",
            where=f"version {version}",
            mend="`riskml review open` renews it; `riskml review reject` withdraws it.",
        )
    if person in now.opening.content.get("trained_by", "").split(TRAINERS):
        raise RiskmlError(
            f"{person} trained this model and cannot approve it",
            where="--as",
            mend="Two other people, with different roles, have to.",
        )
    for earlier in now.approvals:
        if earlier.person == person:
            raise RiskmlError(
                f"{person} has approved this version already (statement {earlier.number})",
                where="--as",
                mend="Another person, with another role, has to approve it too.",
            )
        if earlier.role == role:
            raise RiskmlError(
                f'role "{role}" has approved this version already (statement {earlier.number})',
                where="--role",
                mend="The other approval has to come from another role.",
            )


def _stopped(now):
    return f"the review was stopped by a rejection (statement {now.rejection.number})"


def missing_approvals(now):
    """How many approvals a version's open review lacks: int.

    Parameters
    ----------
    now : Standing
    """
    needed = now.opening.content.get("approvals", "") if now.opening else ""
    return max(0, max(2, int(needed) if needed.isdigit() else 2) - len(now.approvals))


def completes(statements, version):
    """Whether one more approval is the last one that a version's open review needs: bool."""
    return missing_approvals(standing(statements, version)) <= 1


def replay_faults(statements):
    """Statements that the rules did not allow when they were made: list of (number, why).

    Parameters
    ----------
    statements : list of Statement    in order
    """
    faults = []
    for place, statement in enumerate(statements):
        before = statements[:place]
        try:
            _replay(before, statement)
        except RiskmlError as error:
            faults.append((statement.number, error.what))
    return faults


def _replay(before, statement):
    if statement.kind not in KINDS:
        raise RiskmlError("neither an opening nor a decision")
    if statement.kind == "open":
        check_may_open(before, statement.version)
        if statement.review != statement.number:
            raise RiskmlError("an opening that names another review")
        return
    check_may_decide(
        before,
        statement.version,
        statement.kind,
        statement.person,
        statement.role,
        synthetic=statement.synthetic,
    )
    if statement.review != standing(before, statement.version).opening.number:
        raise RiskmlError("names another review than the one that was open")
    last = statement.kind == "approve" and completes(before, statement.version)
    if last != (statement.expires_on is not None):
        raise RiskmlError("an expiry date without the approvals that it needs, or the reverse")
