image
serve
answers /healthz ok
curl_ -X POST -H 'Content-Type: application/json' -d '{"text":"hello"}' "$url/notes" | grep -q '"count":1' ||
	fail "no note was added"
answers / '{"title":"Board","user":1000,"notes":["hello"]}'
# What was mounted left nothing behind; development's packages and tests are not there.
inside passed 'cd /srv/board; [ -d node_modules/express ]; [ ! -e package-lock.json ]; [ ! -e node_modules/nodemon ]
	[ ! -e src/board.test.js ]; cat /srv/tests'
