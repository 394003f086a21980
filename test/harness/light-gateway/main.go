// Light-gateway stands in for OpenClaw where a test needs many pods and no model behind them: a few megabytes instead of
// a gigabyte. It answers OpenClaw's probes, and to whoever presents the slot's token /v1/models, so that an operator can
// tell a pod that got the right credentials from one that did not, and /v1/responses with always the same words. Called as
// `openclaw config validate` it takes every configuration that is JSON; told to be `broken` it ends as soon as it starts.
package main

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	switch arguments := os.Args[1:]; {
	case len(arguments) > 0 && arguments[0] == "config":
		validate(os.Getenv("OPENCLAW_CONFIG_PATH"))
		return
	case len(arguments) > 0 && arguments[0] == "broken":
		log.Fatal("this gateway is broken")
	}
	serve()
}

func validate(path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		log.Fatal(err)
	}
	if !json.Valid(text) {
		log.Fatalf("%s is not JSON", path)
	}
}

func serve() {
	token := os.Getenv("OPENCLAW_GATEWAY_TOKEN")
	if token == "" {
		log.Fatal("OPENCLAW_GATEWAY_TOKEN is not set")
	}
	server := &http.Server{Addr: ":18789", Handler: handler(token)}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-stop
		_ = server.Close()
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func handler(token string) http.Handler {
	mux := http.NewServeMux()
	for path, body := range map[string]string{
		"/healthz":  `{"ok":true,"status":"live"}`,
		"/startupz": `{"ok":true,"status":"started"}`,
		"/readyz":   `{"ready":true}`,
	} {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, body) })
	}
	guarded := func(work http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			given := r.Header.Get("Authorization")
			if subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+token)) != 1 {
				answer(w, http.StatusUnauthorized, `{"error":{"message":"Unauthorized","type":"unauthorized"}}`)
				return
			}
			work(w, r)
		}
	}
	mux.HandleFunc("/v1/models", guarded(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, `{"object":"list","data":[{"id":"openclaw","object":"model"}]}`)
	}))
	mux.HandleFunc("/v1/responses", guarded(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = w.Write([]byte(turn))
	}))
	return mux
}

// turn is one streamed turn of OpenClaw's.
const turn = `event: response.output_text.delta
data: {"type":"response.output_text.delta","delta":"I am a "}

event: response.output_text.delta
data: {"type":"response.output_text.delta","delta":"stand-in."}

event: response.completed
data: {"type":"response.completed"}

data: [DONE]

`

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}
