"""Limits: a row of the calls that count in place of buckets, and numbers that a person may set."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0005_circuit"),
    ]

    operations = [
        migrations.CreateModel(
            name="CallLog",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("times", models.JSONField(default=dict)),
                ("flying", models.JSONField(default=dict)),
                ("paused_until", models.DateTimeField(null=True)),
                (
                    "connection",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="call_log",
                        to="integrations.connection",
                    ),
                ),
            ],
        ),
        migrations.DeleteModel(
            name="Bucket",
        ),
        migrations.AddField(
            model_name="connection",
            name="batches_per_minute",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="in_flight",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="calls under way"),
        ),
        migrations.AddField(
            model_name="connection",
            name="items_per_batch",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="requests_per_minute",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="connection",
            name="requests_per_second",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("requests_per_minute", None), ("requests_per_minute__gt", 0), _connector="OR"),
                name="some_requests_per_minute",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("requests_per_second", None), ("requests_per_second__gt", 0), _connector="OR"),
                name="some_requests_per_second",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("in_flight", None), ("in_flight__gt", 0), _connector="OR"), name="some_in_flight"
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("batches_per_minute", None), ("batches_per_minute__gt", 0), _connector="OR"),
                name="some_batches_per_minute",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("items_per_batch", None), ("items_per_batch__gt", 0), _connector="OR"),
                name="some_items_per_batch",
            ),
        ),
    ]
