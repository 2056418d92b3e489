"""Named leases: one process at a time does a periodic job; a dead one's lease lapses."""

from datetime import timedelta

import pytest

from integrations import leases
from integrations.models import Lease
from ledger.clock import database_now

pytestmark = pytest.mark.django_db


def test_a_lease_that_is_held_is_not_given_again() -> None:
    with leases.held("job") as first, leases.held("job") as second:
        assert first is not None and second is None


def test_a_lease_is_free_again_when_its_holder_ends() -> None:
    with leases.held("job"):
        pass
    with leases.held("job") as again:
        assert again is not None


def test_a_lease_is_given_back_after_an_error_too() -> None:
    with pytest.raises(RuntimeError), leases.held("job"):
        raise RuntimeError
    assert Lease.objects.get(name="job").owner == ""


def test_jobs_of_other_names_do_not_wait_for_each_other() -> None:
    with leases.held("one") as one, leases.held("other") as other:
        assert one is not None and other is not None


def test_the_lease_of_a_dead_process_lapses() -> None:
    Lease.objects.create(name="job", owner="dead", until=database_now() - timedelta(seconds=1))
    with leases.held("job") as held:
        assert held is not None


def test_a_lease_is_kept_while_it_is_renewed() -> None:
    with leases.held("job") as held:
        assert held is not None
        Lease.objects.update(until=database_now() + timedelta(seconds=1))
        assert held.renew()
        until = Lease.objects.get().until
        assert until is not None and until > database_now() + timedelta(seconds=20)


def test_who_lost_a_lease_does_not_renew_or_free_the_new_holders() -> None:
    with leases.held("job") as zombie:
        assert zombie is not None
        until = database_now() + timedelta(seconds=5)
        Lease.objects.update(owner="the new holder", until=until)
        assert not zombie.renew()
        with pytest.raises(leases.LeaseLost):
            zombie.keep()
    lease = Lease.objects.get()
    assert (lease.owner, lease.until) == ("the new holder", until)


def test_a_lease_lasts_as_long_as_one_call_may_take() -> None:
    with leases.held("job", lasts=timedelta(minutes=2)) as held:
        assert held is not None
        taken = Lease.objects.get().until
        assert held.renew()
        renewed = Lease.objects.get().until
    assert taken is not None and renewed is not None
    assert min(taken, renewed) > database_now() + timedelta(seconds=100)
