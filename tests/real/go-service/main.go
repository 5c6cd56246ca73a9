// A service that says which version it is, and adds numbers.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"

	"github.com/go-chi/chi/v5"
)

var version = "unknown"

func add(w http.ResponseWriter, r *http.Request) {
	a, errA := strconv.Atoi(chi.URLParam(r, "a"))
	b, errB := strconv.Atoi(chi.URLParam(r, "b"))
	if errA != nil || errB != nil {
		http.Error(w, "not a number", http.StatusBadRequest)
		return
	}
	fmt.Fprintln(w, a+b)
}

func main() {
	router := chi.NewRouter()
	router.Get("/version", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"version": version, "user": os.Getuid()})
	})
	router.Get("/add/{a}/{b}", add)
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	log.Fatal(http.ListenAndServe(":"+port, router))
}
