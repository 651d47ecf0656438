# The service. Neo4j runs beside it (see docker-compose.yml), so the embedded one is not used here.
FROM python:3.12-slim

RUN useradd --create-home --uid 10001 entourage
WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY cypher cypher
COPY migrations migrations
RUN pip install --no-cache-dir --no-deps . && mkdir /data && chown entourage /data

USER entourage
ENV ENTOURAGE_DATA_DIR=/data ENTOURAGE_CACHE_DIR=/data/cache NUMBA_CACHE_DIR=/data/cache/kernels PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD \
    ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/ready', timeout=4)"]
CMD ["entourage", "serve"]
