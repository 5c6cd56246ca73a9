ANALYTICS_KEY=k3y-of-nobody image --secret id=analytics_key,env=ANALYTICS_KEY --build-arg COMMIT_SHA=0a1b2c3
serve
answers /api/health 'hello from 0a1b2c3 as 472'
answers /main.js 'dash of '
answers /main.js 0a1b2c3
answers /analytics counted
! grep -raq k3y-of-nobody "$OCIBUILD_STORE/blobs" "$OCIBUILD_STORE/cache" || fail "the secret is in the store"
stop_server
# The page from a directory, instead of a stage: Node.js is not asked for anything.
mkdir "$work/page"
echo 'prebuilt page' >"$work/page/main.js"
image --build-arg JS_SRC=prebuilt --build-context "prebuilt-page=$work/page"
! grep -q 'npm ci' "$work/build.log" || fail "a stage that nobody needs was built"
serve
answers /main.js 'prebuilt page'
