# denpyo in a container, from hash-locked files. The last target is the desk, which checks, records and queues; `--target agent` is what
# trains too: on this machine alone, or as an agent of ClearML. `BASE` may be any Linux image with Python 3.11 or newer, venv, and git or apt.
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS core
ARG EXTRAS="google github"
RUN --mount=type=bind,source=requirements,target=/requirements \
    python3 -m venv /opt/denpyo \
    && for extra in core ${EXTRAS}; do set -- "$@" --requirement "/requirements/$extra.txt"; done \
    && /opt/denpyo/bin/python -m pip install --quiet --no-cache-dir --require-hashes "$@" \
    && echo 'denpyo:x:10001:10001::/tmp:/usr/sbin/nologin' >> /etc/passwd \
    && mkdir -p /work /desk/ledger \
    && chmod 700 /desk/ledger \
    && chown -R 10001:10001 /work /desk
ENV PATH=/opt/denpyo/bin:$PATH LANG=C.UTF-8 HOME=/tmp DENPYO_MAKE_DESK=1
WORKDIR /work
ENTRYPOINT ["denpyo"]

FROM core AS agent
RUN --mount=type=bind,source=requirements,target=/requirements \
    /opt/denpyo/bin/python -m pip install --quiet --no-cache-dir --require-hashes \
        --requirement /requirements/jobs.txt --requirement /requirements/clearml.txt \
    && python3 -m venv --without-pip /opt/clearml-agent \
    && /opt/denpyo/bin/python -m pip --python /opt/clearml-agent/bin/python install --quiet --no-cache-dir --require-hashes \
        --requirement /requirements/agent.txt \
    && ln -s /opt/clearml-agent/bin/clearml-agent /opt/denpyo/bin/ \
    && { command -v git > /dev/null || { apt-get update && apt-get install --yes --no-install-recommends git \
        && rm -rf /var/lib/apt/lists/*; }; }
RUN --mount=type=bind,target=/source \
    cp -r /source /tmp/denpyo \
    && /opt/denpyo/bin/python -m pip install --quiet --no-cache-dir --no-deps --no-build-isolation /tmp/denpyo \
    && rm -rf /tmp/denpyo
# What NVIDIA's container tools hand in where a container is given GPUs: CUDA, and nvidia-smi, by which denpyo counts them.
ENV NVIDIA_DRIVER_CAPABILITIES=compute,utility
USER 10001:10001

FROM core AS desk
RUN --mount=type=bind,target=/source \
    cp -r /source /tmp/denpyo \
    && /opt/denpyo/bin/python -m pip install --quiet --no-cache-dir --no-deps --no-build-isolation /tmp/denpyo \
    && rm -rf /tmp/denpyo
USER 10001:10001
HEALTHCHECK --interval=1m --timeout=20s --start-period=30s CMD ["denpyo", "status", "--inbox", "--check"]
