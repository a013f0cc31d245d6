package link

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	"go.etcd.io/etcd/api/v3/mvccpb"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/protobuf/proto"
)

// speaker writes what a client or a member would.
type speaker struct {
	bytes.Buffer
	framer *http2.Framer
	coder  *hpack.Encoder
	block  bytes.Buffer
	choice *rand.Rand
}

func newSpeaker(choice *rand.Rand) *speaker {
	s := &speaker{choice: choice}
	s.framer = http2.NewFramer(&s.Buffer, nil)
	s.coder = hpack.NewEncoder(&s.block)
	return s
}

// open writes the headers of a call, in one or several frames.
func (s *speaker) open(id uint32, path string, more ...string) {
	s.block.Reset()
	fields := []string{":method", "POST", ":path", path, "content-type", "application/grpc", "user-agent", "x"}
	for i := 0; i < len(fields); i += 2 {
		_ = s.coder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	for _, value := range more {
		_ = s.coder.WriteField(hpack.HeaderField{Name: "more", Value: value})
	}
	block := bytes.Clone(s.block.Bytes())
	cut := s.choice.IntN(len(block) + 1)
	whole := s.choice.IntN(2) == 0
	if whole {
		cut = len(block)
	}
	p := http2.HeadersFrameParam{StreamID: id, BlockFragment: block[:cut], EndHeaders: whole, PadLength: uint8(s.choice.IntN(20))}
	if s.choice.IntN(2) == 0 {
		p.Priority = http2.PriorityParam{StreamDep: 1, Weight: 3}
	}
	_ = s.framer.WriteHeaders(p)
	for block = block[cut:]; !whole; {
		n := s.choice.IntN(len(block) + 1)
		whole = n == len(block)
		_ = s.framer.WriteContinuation(id, whole, block[:n])
		block = block[n:]
	}
}

// pieces splits data into DATA frames, some of them padded.
func (s *speaker) pieces(id uint32, data []byte) []func() {
	var writes []func()
	for len(data) > 0 {
		n := 1 + s.choice.IntN(len(data))
		piece, padding := data[:n], s.choice.IntN(3)*s.choice.IntN(100)
		data = data[n:]
		writes = append(writes, func() {
			if padding > 0 {
				_ = s.framer.WriteDataPadded(id, false, piece, make([]byte, padding))
			} else {
				_ = s.framer.WriteData(id, false, piece)
			}
		})
	}
	return writes
}

func prefixed(message []byte, compressed bool) []byte {
	b := make([]byte, messageHeader, messageHeader+len(message))
	if compressed {
		b[0] = 1
	}
	binary.BigEndian.PutUint32(b[1:], uint32(len(message)))
	return append(b, message...)
}

func encoded(t testing.TB, m proto.Message) []byte {
	t.Helper()
	b, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// counted is a dialogue with its counters.
type counted struct {
	*dialogue
	requests, keepAlives, blind atomic.Int64
}

func newCounted() *counted {
	c := &counted{}
	c.dialogue = newDialogue(&c.requests, &c.keepAlives, &c.blind)
	return c
}

// hear feeds all bytes in chunks of random sizes, and returns what was
// recognised and, for each, how many bytes had been fed at its mark.
func (c *counted) hear(choice *rand.Rand, d Direction, all []byte) (messages []Message) {
	for len(all) > 0 {
		n := 1 + choice.IntN(min(len(all), 1+choice.IntN(400)))
		last := -1
		for _, m := range c.follow(d, all[:n]) {
			if m.start <= last && last >= 0 || m.start < 0 || m.start >= n {
				panic(fmt.Sprintf("a mark at %d after %d in a chunk of %d", m.start, last, n))
			}
			last = m.start
			messages = append(messages, m.message)
		}
		all = all[n:]
	}
	return messages
}

// However calls are laid out in frames and frames in chunks, the same messages
// are recognised, those of one stream in order.
func TestMessagesAreRecognisedInAnyLayout(t *testing.T) {
	methods := []string{"/etcdserverpb.KV/Txn", "/etcdserverpb.KV/Put", watchMethod, keepAliveMethod, "/v3lockpb.Lock/Lock"}
	for seed := range uint64(500) {
		choice := rand.New(rand.NewPCG(seed, 1))
		client, member := newSpeaker(choice), newSpeaker(choice)
		client.WriteString(http2.ClientPreface)
		_ = client.framer.WriteSettings()
		_ = member.framer.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 20})
		want := [directions]map[string]int{{}, {}}
		wantRequests, wantKeepAlives := 0, 0
		var waiting [][]func()
		var answers [][]func()
		for i := range 1 + choice.IntN(8) {
			id, method := uint32(2*i+1), methods[choice.IntN(len(methods))]
			client.open(id, method, strings.Repeat("v", choice.IntN(300)))
			var said, answered []byte
			for range 1 + choice.IntN(3) {
				m := make([]byte, choice.IntN(1000))
				content, back := Content(""), Content("")
				switch method {
				case watchMethod:
					m = encoded(t, &etcdserverpb.WatchRequest{RequestUnion: &etcdserverpb.WatchRequest_CreateRequest{CreateRequest: &etcdserverpb.WatchCreateRequest{Key: m}}})
					content, back = WatchCreate, WatchProgress
					wantRequests++
				case keepAliveMethod:
					content, back = KeepAlive, KeepAlive
					wantKeepAlives++
				default:
					wantRequests++
				}
				said = append(said, prefixed(m, false)...)
				want[ToTarget][method+string(content)]++
				answered = append(answered, prefixed(nil, false)...)
				want[ToDialler][method+string(back)]++
			}
			waiting = append(waiting, client.pieces(id, said))
			answers = append(answers, member.pieces(id, answered))
		}
		interleave(choice, waiting, func() { _ = client.framer.WritePing(false, [8]byte{}) })
		interleave(choice, answers, func() { _ = member.framer.WriteWindowUpdate(0, 10) })

		c := newCounted()
		got := [directions]map[string]int{{}, {}}
		for d, said := range [][]byte{client.Bytes(), member.Bytes()} {
			for _, m := range c.hear(choice, Direction(d), said) {
				got[d][m.Method+string(m.Content)]++
			}
		}
		if !reflect.DeepEqual(got, want) || c.blind.Load() != 0 {
			t.Fatalf("seed %d: recognised %v, want %v; blind: %d", seed, got, want, c.blind.Load())
		}
		if c.requests.Load() != int64(wantRequests) || c.keepAlives.Load() != int64(wantKeepAlives) {
			t.Fatalf("seed %d: %d requests and %d keepalives, want %d and %d", seed, c.requests.Load(), c.keepAlives.Load(), wantRequests, wantKeepAlives)
		}
	}
}

// interleave writes the frames of several streams in a random order that keeps
// each stream's own, with others between them.
func interleave(choice *rand.Rand, streams [][]func(), between func()) {
	for len(streams) > 0 {
		i := choice.IntN(len(streams))
		if len(streams[i]) == 0 {
			streams = append(streams[:i], streams[i+1:]...)
			continue
		}
		streams[i][0]()
		streams[i] = streams[i][1:]
		if choice.IntN(4) == 0 {
			between()
		}
	}
}

func TestTheMessagesOfAWatchAreToldApart(t *testing.T) {
	header := &etcdserverpb.ResponseHeader{ClusterId: 1 << 63, MemberId: 1 << 63, Revision: 1 << 40, RaftTerm: 1 << 40}
	for _, test := range []struct {
		direction Direction
		message   proto.Message
		want      Content
	}{
		{ToTarget, &etcdserverpb.WatchRequest{RequestUnion: &etcdserverpb.WatchRequest_CreateRequest{CreateRequest: &etcdserverpb.WatchCreateRequest{Key: []byte("k")}}}, WatchCreate},
		{ToTarget, &etcdserverpb.WatchRequest{RequestUnion: &etcdserverpb.WatchRequest_CancelRequest{CancelRequest: &etcdserverpb.WatchCancelRequest{WatchId: 7}}}, WatchCancel},
		{ToTarget, &etcdserverpb.WatchRequest{RequestUnion: &etcdserverpb.WatchRequest_ProgressRequest{ProgressRequest: &etcdserverpb.WatchProgressRequest{}}}, WatchProgress},
		{ToTarget, &etcdserverpb.WatchRequest{}, ""},
		{ToDialler, &etcdserverpb.WatchResponse{Header: header, Created: true}, WatchCreated},
		{ToDialler, &etcdserverpb.WatchResponse{Header: header, Created: true, Canceled: true, CancelReason: "no"}, WatchCreated},
		{ToDialler, &etcdserverpb.WatchResponse{Header: header, WatchId: 3, Canceled: true, CompactRevision: 9}, WatchCanceled},
		{ToDialler, &etcdserverpb.WatchResponse{Header: header, WatchId: 3}, WatchProgress},
		{ToDialler, &etcdserverpb.WatchResponse{Header: header, WatchId: 3, Fragment: true, Events: []*mvccpb.Event{{Kv: &mvccpb.KeyValue{Value: make([]byte, 4000)}}}}, WatchEvents},
		{ToDialler, &etcdserverpb.WatchResponse{WatchId: 3, Canceled: true, CancelReason: strings.Repeat("because ", 200)}, WatchCanceled},
	} {
		a, whole := assembly{}, false
		for _, b := range prefixed(encoded(t, test.message), false) {
			_, whole = a.feed([]byte{b}, true)
		}
		if got := contentOf(watchMethod, test.direction, a.excerpt); !whole || got != test.want {
			t.Errorf("%v: whole: %t, %q, want %q", test.message, whole, got, test.want)
		}
	}
}

// A compressed message is not shown, and does not hide the next one.
func TestCompressedMessagesAreNotShown(t *testing.T) {
	choice := rand.New(rand.NewPCG(1, 1))
	s := newSpeaker(choice)
	s.WriteString(http2.ClientPreface)
	s.open(1, "/etcdserverpb.KV/Put")
	for _, write := range s.pieces(1, append(prefixed([]byte("squeezed"), true), prefixed([]byte("plain"), false)...)) {
		write()
	}
	c := newCounted()
	if got := c.hear(choice, ToTarget, s.Bytes()); len(got) != 1 || c.blind.Load() != 0 {
		t.Errorf("%v, blind: %d", got, c.blind.Load())
	}
}

// What is not gRPC on HTTP/2 in the clear is passed over without a word.
func TestWhatIsNotUnderstoodMakesBlind(t *testing.T) {
	opened := func(change func(*speaker)) []byte {
		s := newSpeaker(rand.New(rand.NewPCG(1, 1)))
		s.WriteString(http2.ClientPreface)
		s.open(1, "/etcdserverpb.KV/Put")
		change(s)
		_ = s.framer.WriteData(1, true, prefixed([]byte("x"), false))
		return s.Bytes()
	}
	for name, test := range map[string]struct {
		direction Direction
		bytes     []byte
	}{
		"HTTP/1":                 {ToTarget, []byte("GET / HTTP/1.1\r\n\r\n")},
		"TLS":                    {ToTarget, []byte{22, 3, 1, 0, 200, 1}},
		"an answer of HTTP/1":    {ToDialler, []byte("HTTP/1.1 400 Bad Request\r\n\r\n")},
		"lost continuation":      {ToTarget, opened(func(s *speaker) { s.framer.AllowIllegalWrites = true; _ = s.framer.WriteContinuation(3, true, nil) })},
		"padding without end":    {ToTarget, opened(func(s *speaker) { _ = s.framer.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, []byte{9, 1}) })},
		"padding without length": {ToTarget, opened(func(s *speaker) { _ = s.framer.WriteRawFrame(http2.FrameData, http2.FlagDataPadded, 1, nil) })},
		"broken headers": {ToTarget, opened(func(s *speaker) {
			_ = s.framer.WriteRawFrame(http2.FrameHeaders, http2.FlagHeadersEndHeaders, 3, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		})},
		"headers without end": {ToTarget, opened(func(s *speaker) {
			_ = s.framer.WriteRawFrame(http2.FrameHeaders, 0, 3, nil)
			for range largestBlock >> 13 {
				_ = s.framer.WriteRawFrame(http2.FrameContinuation, 0, 3, make([]byte, 1<<14))
			}
		})},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCounted()
			if got := c.hear(rand.New(rand.NewPCG(2, 1)), test.direction, test.bytes); len(got) != 0 || c.blind.Load() != 1 {
				t.Errorf("%v, blind: %d", got, c.blind.Load())
			}
		})
	}
	c := newCounted()
	if got := c.hear(rand.New(rand.NewPCG(2, 1)), ToTarget, opened(func(*speaker) {})); len(got) != 1 || c.blind.Load() != 0 {
		t.Errorf("of what is understood: %v, blind: %d", got, c.blind.Load())
	}
}

// A call that has ended leaves nothing behind.
func TestEndedCallsAreForgotten(t *testing.T) {
	choice := rand.New(rand.NewPCG(1, 1))
	client, member := newSpeaker(choice), newSpeaker(choice)
	client.WriteString(http2.ClientPreface)
	_ = member.framer.WriteSettings()
	for i := range uint32(100) {
		client.open(2*i+1, "/etcdserverpb.KV/Put")
		switch i % 3 {
		case 0:
			_ = client.framer.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
		case 1:
			_ = member.framer.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
		default:
			_ = member.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 2*i + 1, EndHeaders: true, EndStream: true})
		}
	}
	c := newCounted()
	c.hear(choice, ToTarget, client.Bytes())
	c.hear(choice, ToDialler, member.Bytes())
	if len(c.streams) != 0 || c.blind.Load() != 0 {
		t.Errorf("%d calls are left, blind: %d", len(c.streams), c.blind.Load())
	}
}

// Whatever is said, following it neither panics nor hangs, and marks lie within
// their chunk and rise.
func FuzzDialogue(f *testing.F) {
	s := newSpeaker(rand.New(rand.NewPCG(1, 1)))
	s.open(1, watchMethod)
	for _, write := range s.pieces(1, prefixed(make([]byte, 700), false)) {
		write()
	}
	f.Add(uint64(1), s.Bytes(), s.Bytes())
	f.Add(uint64(2), []byte{}, []byte{0, 0, 0, 4, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, seed uint64, request, answer []byte) {
		choice := rand.New(rand.NewPCG(seed, 1))
		c := newCounted()
		c.hear(choice, ToTarget, append([]byte(http2.ClientPreface), request...))
		c.hear(choice, ToDialler, answer)
		if len(c.streams) > len(request) {
			t.Error("more calls than bytes")
		}
	})
}
