# The application image: the runtime plus this commit's code. Context: examples/webapp.
FROM runtime

WORKDIR /srv/webapp
COPY app/ ./app/
COPY --chmod=0755 start.sh ./

USER app
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=3s \
    CMD ["python3", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health')"]
CMD ["./start.sh"]
