"""What MLflow shows of a statement: its title and its text, in the workspace's language."""

import hashlib

from riskml.messages import message

__all__ = ["description_of", "text_digest", "title_of"]

_SHORT = 8  # characters of a version in a title


def text_digest(text):
    """sha256 of a text, 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def title_of(number, content, checklist, language):
    """The run's name, str."""
    role = content.get("role")
    return message(
        f"review.title_{content['kind']}",
        language,
        number=number,
        model=content["model"],
        version=content["version"][:_SHORT],
        **({"role": checklist.roles[role][language]} if role else {}),
    )


def description_of(content, checklist, language):
    """The run's description in Markdown, str."""
    parts = [_what(content, checklist, language)]
    if content.get("synthetic") == "true":
        parts.insert(0, message("review.synthetic_text", language))
    if "expires_on" in content:
        parts.append(message("review.completed_text", language, date=content["expires_on"]))
    for name, section in checklist.sections.items():
        if reason := content.get(f"reason/{name}"):
            parts.append(f"**{section.label[language]}.** {reason}")
    return "\n\n".join(parts)


def _what(content, checklist, language):
    fields = {"person": content["person"], "date": content["said_at"][:10]}
    if content["kind"] != "open":
        name = "approved_text" if content["kind"] == "approve" else "rejected_text"
        role = checklist.roles[content["role"]][language]
        return message(f"review.{name}", language, role=role, **fields)
    fields |= {key: content[key] for key in ("model", "version", "mlflow_version", "trained_by")}
    # A link within MLflow's own pages, wherever they are served.
    fields["link"] = f"#/models/{content['model']}/versions/{content['mlflow_version']}"
    files = ", ".join(
        f"`{key.removeprefix('attached/')}`" for key in sorted(content) if key.startswith("attached/")
    )
    return "\n\n".join(
        [
            message("review.opened_text", language, **fields),
            message(
                "review.opened_needs", language, approvals=content["approvals"], months=content["months"]
            ),
            message("review.opened_files", language, files=files),
        ]
    )
