"""A tree of worker processes can be known before its first sign of life, and after its farewell."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0008_what_is_kept"),
    ]

    operations = [
        migrations.AddField(
            model_name="heartbeat",
            name="state",
            field=models.CharField(
                choices=[
                    ("starts", "starts, no sign of life yet"),
                    ("works", "works"),
                    ("ended", "ended as it should"),
                ],
                db_default="works",
                default="works",
                max_length=6,
            ),
        ),
    ]
