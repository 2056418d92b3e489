"""Who may call what: the permission that the screen of the same rows asks for."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from ledger.admin.scoping import may, may_for_all


class MayDoThis(BasePermission):
    """The view names its permission in `needs`, and in `store_managers` whether one of them may use it on own rows.

    A view that needs nothing is for everybody who has a log-in to the screens.
    """

    def has_permission(self, request: Request, view: object) -> bool:
        person = request.user
        if not (person.is_authenticated and person.is_active and person.is_staff):
            return False
        needed: str = getattr(view, "needs", "")
        allowed = may if getattr(view, "store_managers", False) else may_for_all
        return not needed or allowed(person, needed)
