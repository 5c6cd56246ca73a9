image --build-arg SITE_TITLE="Our site"
serve -e NGINX_PORT="$port"
answers / '<title>Our site</title>'
answers / '<em>made</em>'
answers /stub '/stub is served by 127.0.0.1'
curl_ -I "$url" | grep -qi 'content-type: text/html' || fail "the type"
