# denpyo in a container: core and jobs, locked. `--build-arg BASE=` any Debian-like image with Python >= 3.11 and venv.
ARG BASE=python:3.11-slim
FROM ${BASE}
COPY . /src
RUN python3 -m venv /opt/denpyo \
    && /opt/denpyo/bin/python -m pip install --quiet --require-hashes --requirement /src/requirements/jobs.txt \
    && /opt/denpyo/bin/python -m pip install --quiet --no-deps --no-build-isolation /src \
    && rm -rf /src \
    && useradd --create-home --uid 10001 denpyo
USER denpyo
WORKDIR /home/denpyo
ENV PATH=/opt/denpyo/bin:$PATH LANG=C.UTF-8
ENTRYPOINT ["denpyo"]
