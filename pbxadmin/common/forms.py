"""Widgets that Django doesn't have: a choice of several in an order that counts."""

from collections.abc import Mapping
from typing import Any

from django import forms


class OrderedBoxes(forms.SelectMultiple):
    """Boxes in the order of preference: ticked ones count, from top to bottom; moved by drag, keys, or buttons."""

    template_name = "widgets/ordered_boxes.html"
    use_fieldset = True

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        """The chosen ones first, in their order; then the others as the model lists them."""
        context = super().get_context(name, value, dict(attrs or {}))
        chosen = value.split(",") if isinstance(value, str) else [str(item) for item in value or ()]
        labels = {str(key): label for key, label in self.choices}
        context["items"] = [
            {"value": key, "label": labels[key], "chosen": True} for key in chosen if key in labels
        ] + [
            {"value": key, "label": label, "chosen": False}
            for key, label in labels.items()
            if key not in chosen
        ]
        return context


def moved(order: list[str], move: str) -> list[str]:
    """`order` with one item moved as a button without scripts asks: "G722:up" or "G722:down"."""
    value, _, direction = move.rpartition(":")
    if value not in order:
        return order
    order = list(order)
    place = order.index(value)
    other = place + (-1 if direction == "up" else 1)
    if 0 <= other < len(order):
        order[place], order[other] = order[other], order[place]
    return order
