package embedded

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// memberLog is where one member logs to, over all its lives. Each member gets
// a logger of its own and none becomes a global one: those of grpc cannot be
// replaced while another cluster, or a client, uses them.
type memberLog struct {
	file *os.File // nil if logs are discarded
	core zapcore.Core
}

func newMemberLog(directory, member string) (*memberLog, error) {
	if directory == "" {
		return &memberLog{core: zapcore.NewNopCore()}, nil
	}
	directory = filepath.Join(directory, "members")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(filepath.Join(directory, member+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	return &memberLog{
		file: file,
		core: zapcore.NewCore(zapcore.NewJSONEncoder(encoding), zapcore.Lock(file), zap.InfoLevel),
	}, nil
}

func (l *memberLog) close() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// logger returns the logger for one life of the member, and what will tell
// why that life ended if etcd ends it.
func (l *memberLog) logger() (*zap.Logger, *fatality) {
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
