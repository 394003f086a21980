// Light-gateway stands in for OpenClaw where a test needs many pods and no model behind them: a few megabytes instead of
// a gigabyte. It answers OpenClaw's probes, and to whoever presents the slot's token /v1/models, so that an operator can
// tell a pod that got the right credentials from one that did not, and /v1/responses with always the same words. Called as
// `openclaw config validate` it takes every configuration that is JSON; told to be `broken` it ends as soon as it starts.
//
// Run inside its pod it makes trouble on demand: `light-gateway fail` ends the gateway with an error, `mute` makes it drop
// all calls but the probes, or serve them again, and `fill PATH MIB` writes a file.
package main

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
)

const (
	failure = syscall.SIGHUP
	silence = syscall.SIGUSR1
)

func main() {
	arguments := os.Args[1:]
	if len(arguments) == 0 {
		serve()
		return
	}
	switch arguments[0] {
	case "config":
		validate(os.Getenv("OPENCLAW_CONFIG_PATH"))
	case "broken":
		log.Fatal("this gateway is broken")
	default:
		if err := trouble(arguments[0], arguments[1:]); err != nil {
			log.Fatal(err)
		}
	}
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
	var mute atomic.Bool
	server := &http.Server{Addr: ":18789", Handler: handler(token, &mute)}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, failure, silence)
	go func() {
		for received := range signals {
			switch received {
			case failure:
				log.Fatal("light-gateway was told to fail")
			case silence:
				mute.Store(!mute.Load())
			default:
				_ = server.Close()
			}
		}
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

// trouble acts on the gateway of this pod, which is its first process.
func trouble(kind string, args []string) error {
	switch {
	case kind == "fail":
		return syscall.Kill(1, failure)
	case kind == "mute":
		return syscall.Kill(1, silence)
	case kind == "fill" && len(args) == 2:
		return fill(args[0], args[1])
	}
	return errors.New("expected: fail, mute or fill PATH MIB")
}

func fill(path, mebibytes string) error {
	count, err := strconv.Atoi(mebibytes)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	chunk := make([]byte, 1<<20)
	for range count {
		if _, err := file.Write(chunk); err != nil {
			return err
		}
	}
	return file.Sync()
}

func handler(token string, mute *atomic.Bool) http.Handler {
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
			if mute.Load() {
				// Ends the connection without an answer.
				panic(http.ErrAbortHandler)
			}
			given := r.Header.Get("Authorization")
			if subtle.ConstantTimeCompare([]byte(given), []byte("Bearer "+token)) != 1 {
				answer(w, http.StatusUnauthorized, `{"error":{"message":"Unauthorized","type":"unauthorized"}}`)
				return
			}
			work(w, r)
		}
	}
	mux.HandleFunc("/", guarded(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusNotFound, `{"error":{"message":"Not Found"}}`)
	}))
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
