"""Heartbeats are of one tree of processes each; the one of before, of all together, says nothing any more."""

from typing import Any

from django.db import migrations, models


def forget_the_common_one(apps: Any, schema_editor: Any) -> None:
    apps.get_model("integrations", "Heartbeat").objects.filter(name="worker").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0006_windows"),
    ]

    operations = [
        migrations.AlterField(
            model_name="heartbeat",
            name="name",
            field=models.CharField(max_length=120, unique=True),
        ),
        migrations.RunPython(forget_the_common_one, migrations.RunPython.noop, elidable=True),
    ]
