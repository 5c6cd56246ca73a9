image
serve
answers / 'asked '
curl_ "$url" | grep -Eq '^asked [0-9]+ times$' || fail "it does not count"
inside 10001 'id -u; ls /usr/local/bin/server; [ ! -e /app ]'
