package server

import (
	"errors"
	"io"
	"os"
	"runtime"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Log is where one member logs to, over all its lives. Each member gets a logger
// of its own and none becomes a global one: those of grpc cannot be replaced while
// another cluster, or a client, uses them.
type Log struct{ core zapcore.Core }

// NewLog returns a log that writes to a file, which the caller closes; nil
// discards.
func NewLog(file *os.File) *Log {
	if file == nil {
		return &Log{core: zapcore.NewNopCore()}
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	return &Log{core: zapcore.NewCore(zapcore.NewJSONEncoder(encoding), zapcore.Lock(file), zap.InfoLevel)}
}

// logger returns the logger for one life of the member, and what will tell
// why that life ended if etcd ends it.
func (l *Log) logger() (*zap.Logger, *fatality) {
	f := &fatality{happened: make(chan struct{})}
	return zap.New(l.core,
		zap.AddCaller(),
		zap.WithFatalHook(f),
		// raft keeps the logger of whichever member started last in a global
		// variable, so a line may come when the file is closed. Nobody misses it.
		zap.ErrorOutput(zapcore.AddSync(io.Discard)),
	), f
}

// fatality is what a member does instead of exiting the process. etcd ends its
// process when it cannot go on, for example when its disk is full; here that
// must not take the harness along.
type fatality struct {
	once     sync.Once
	happened chan struct{}
	why      error // set before happened is closed
}

// OnWrite ends the goroutine that logged a fatal error.
func (f *fatality) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	f.once.Do(func() {
		f.why = errors.New(describe(entry, fields))
		close(f.happened)
	})
	runtime.Goexit()
}

// describe returns the message of a log entry with the error that it carries.
func describe(entry *zapcore.CheckedEntry, fields []zapcore.Field) string {
	message := "etcd gave up: " + entry.Message
	for _, field := range fields {
		if err, ok := field.Interface.(error); ok {
			message += ": " + err.Error()
		}
	}
	return message
}
