"""v0"""
import csv, time
from typing import Any
from collections.abc import Callable
from django.contrib.auth.models import User
from config.demo.places import Places, say
from config.first_password import issue
from config.demo.pages import Browser
from integrations import connecting, tasks
from integrations.models import *
from ledger.journal import orders
from ledger.models import *
from mappings import loading
from django.db.models import Count, Min, Max
class Visitor:
    def __init__(self, where, *, stopped):
        self.where, self.stopped = where, stopped
    def again(self, f):
        from ledger.errors import DaybookError
        for n in range(20):
            try: return f()
            except DaybookError as e: say(f"again: {e}"); time.sleep(1)
        return f()
    def set_up(self):
        u,_=User.objects.get_or_create(username="admin",defaults=dict(is_superuser=True,is_staff=True))
        src,_=Source.objects.get_or_create(code="HR",name="Heartland Retail"); book,_=Book.objects.get_or_create(name="Main Street Trading")
        Feed.objects.get_or_create(source=src,book=book)
        till,_=Connection.objects.get_or_create(vendor="heartland_retail",source=src); qb,_=Connection.objects.get_or_create(vendor="quickbooks",book=book)
        self.book=book
        connecting.save_keys(till,{"api_token":"sandbox-heartland-token"},u)
        say(self.again(lambda: connecting.test(till,u)))
        connecting.save_keys(qb,{"client_id":"sandbox-quickbooks-client","client_secret":"sandbox-quickbooks-secret"},u)
        from tests.sandbox_fixture import Sandbox
        self.again(lambda: connecting.complete(Sandbox(self.where.sandbox_url).callback(connecting.begin(qb,u,self.where.url+"/cb")),u))
        imp=connecting.order_import(qb,u)
        while True:
            imp.refresh_from_db()
            if imp.ended_at:
                if not imp.problem: break
                say(imp.problem); imp=connecting.order_import(qb,u)
            self.stopped(); time.sleep(.2)
        say(f"{imp.accounts} accounts")
        rows=[loading.MappingRow(**r) for r in csv.DictReader(open("config/demo/mapping.csv"))]
        t=time.time()
        while not Capture.objects.get(connection=till).history_done: time.sleep(.2); self.stopped()
        say(f"captured {time.time()-t}")
        loading.apply(book,rows); book.uses_financials=True; book.save(); orders.start_sync(book,actor=u)
        r=Posting.objects.aggregate(a=Min("business_date"),b=Max("business_date"))
        o=orders.order_past(book,r["a"],r["b"],actor=u); say(f"{o.events}"); tasks.wake(qb.pk)
    def watch(self, until):
        t=time.time()
        while time.monotonic()<until:
            s=dict(Posting.objects.values_list("state").annotate(n=Count("pk")))
            say(f"\r{time.time()-t:.0f}s {s}          ",end="")
            if not set(s)-{"synced","error"}: break
            self.stopped(); time.sleep(.5)
        say("")
    def password(self):
        return issue(User.objects.get(username="admin"))
