"""The cause that held a chosen event up, until now among the reasons why events were left, has a column of its own."""

from typing import Any

from django.db import migrations, models
from django.db.models import F, Q


def take_out(apps: Any, _: Any) -> None:
    items = apps.get_model("integrations", "BulkItem").objects
    items.filter(~Q(outcome="left"), reason__gt="").update(cause=F("reason"), reason="")


def put_back(apps: Any, _: Any) -> None:
    items = apps.get_model("integrations", "BulkItem").objects
    items.filter(~Q(outcome="left"), cause__gt="").update(reason=F("cause"))


class Migration(migrations.Migration):
    dependencies = [("integrations", "0003_encrypted_second_factor")]

    operations = [
        migrations.AddField(
            model_name="bulkitem",
            name="cause",
            field=models.CharField(blank=True, max_length=200, null=True),
        ),
        migrations.RunPython(take_out, put_back),
    ]
