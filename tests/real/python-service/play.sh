printf '[global]\nretries = 3\n# password: op3n-sesame\n' >"$work/pip.conf"
want 4 "secret 'pip_conf'" "$OCIBUILD" build "$real/$name"
image --secret "id=pip_conf,src=$work/pip.conf"
serve
answers / '{"guests":[],"user":10001}'
curl_ -X PUT "$url/guests/ada"
answers / '{"guests":["ada"],"user":10001}'
! grep -raq op3n-sesame "$OCIBUILD_STORE/cache" || fail "the secret is in the store"
! "$OCIBUILD" history --no-trunc "real/$name" | grep op3n || fail "the secret is in the history"
