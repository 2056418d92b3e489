# One image for every part: `config.supervisor web`, `config.supervisor worker`, `manage.py migrate`. See docs/deploy.md.
FROM python:3.11-slim-bookworm AS build
WORKDIR /opt/daybook
RUN python -m venv .venv
COPY requirements.txt ./
RUN .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY manage.py ./
COPY config config
COPY integrations integrations
COPY ledger ledger
COPY mappings mappings
COPY static static
COPY templates templates
# The files of the screens; the values stand for settings that this step does not use, and stay in this step.
RUN DAYBOOK_ENV_FILE= SECRET_KEY=unused CREDENTIAL_KEYS=unused INSTALLATION_ID=unused DATABASE_URL=sqlite://:memory: \
    .venv/bin/python manage.py collectstatic --noinput

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin daybook
COPY --from=build /opt/daybook /opt/daybook
WORKDIR /opt/daybook
ENV PATH=/opt/daybook/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DAYBOOK_ENV_FILE= DAYBOOK_STOP_GRACE_SECONDS=100
USER daybook
EXPOSE 8000
# As the first process it buries whatever loses its parent, and hands SIGTERM to the supervisor alone.
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "config.supervisor", "web", "--host", "0.0.0.0", "--port", "8000"]
