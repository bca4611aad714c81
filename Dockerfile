# syntax=docker/dockerfile:1
# One image for every part of the product: code server, runs, UI, daemon, dashboard and workers.
#
#   docker build --target slim .   no torch; the bundled models need none
#   docker build .                 with torch (CPU), to train and to run other checkpoints
#
# pip asks the indexes of its own configuration. EXTRA_INDEX_URL names another one, such as
# PyTorch's index of CPU builds, which "Get Started" on pytorch.org shows; without it, `full` would
# get the builds for GPUs, which are 2.7 GB larger.

FROM python:3.11.14-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/grid
ENV PATH=/opt/grid/bin:$PATH
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY grid_assets grid_assets
COPY sql sql
ARG EXTRAS=celery,gcs,k8s,s3
RUN pip install -c constraints.txt ".[$EXTRAS]"

FROM build AS build-full
ARG EXTRA_INDEX_URL
RUN PIP_EXTRA_INDEX_URL="$EXTRA_INDEX_URL" pip install -c constraints.txt ".[chronos,trees]"

FROM python:3.11.14-slim-bookworm AS base
ENV PATH=/opt/grid/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOME=/var/lib/grid \
    GRID_HOME=/var/lib/grid
RUN groupadd --gid 10001 grid \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/grid grid \
    && install --directory --owner 10001 --group 10001 --mode 0750 \
        /var/lib/grid /var/lib/grid/files
VOLUME /var/lib/grid
WORKDIR /var/lib/grid
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
# No HEALTHCHECK: the parts differ. compose.yaml has one for each that listens or has a heartbeat.
CMD ["grid", "--help"]

FROM base AS slim
COPY --from=build /opt/grid /opt/grid

FROM base AS full
USER 0:0
# LightGBM needs it. Debian keeps one version of a release, so none is named.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/*
USER 10001:10001
COPY --from=build-full /opt/grid /opt/grid
