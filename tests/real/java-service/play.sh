image
serve
answers /patients '{"patients":["Leo","Basil"]}'
inside gson '[ ! -e /root/.m2 ]; [ ! -e /build ]; ls /app/lib'
