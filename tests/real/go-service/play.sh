image --build-arg VERSION=2.7.1
serve
answers /version '{"user":65532,"version":"2.7.1"}'
answers /add/19/23 42
[ "$(label org.opencontainers.image.version)" = 2.7.1 ] || fail "the label"
