package conform

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/etcd-holdfast/holdfast/history"
	"github.com/etcd-holdfast/holdfast/workloads"
)

func (b *Bench) takeAndGive(ctx context.Context) (string, error) {
	p, err := b.join(ctx)
	if err != nil {
		return "", err
	}
	defer p.Kill()
	began := time.Now()
	for round := range 3 {
		g, err := p.take(ctx, takePatience)
		if err != nil {
			return "", fail(fmt.Sprintf("grant %d of 3 of a free object within 10 s", round+1), err, takeAdvice)
		}
		if err := p.give(ctx); err != nil {
			return "", fail(fmt.Sprintf("ok to giving it back, %d of 3", round+1), err, giveAdvice)
		}
		if err := b.gone(ctx, g.Key); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("3 times in %v", time.Since(began).Round(time.Millisecond)), nil
}

// gone looks whether the key of a hold went when the hold was given back.
func (b *Bench) gone(ctx context.Context, key string) error {
	if key == "" {
		return nil
	}
	reply, err := b.Admin.Get(ctx, key, clientv3.WithKeysOnly())
	if err != nil {
		return err
	}
	if len(reply.Kvs) > 0 {
		return fail("that the key of the grant is gone when release (resign) is answered with ok true", fmt.Errorf("the key %s is still there", key), "delete it, and answer then")
	}
	return nil
}

// tells looks whether what a grant names is in the store.
func (b *Bench) tells(ctx context.Context) (string, error) {
	p, err := b.join(ctx)
	if err != nil {
		return "", err
	}
	defer p.Kill()
	g, err := p.take(ctx, takePatience)
	if err != nil {
		return "", fail("a grant of a free object within 10 s", err, takeAdvice)
	}
	if g.Key == "" {
		return "", &skipped{`it names no "key": its clients are judged by what they believe alone, and two holders are blamed on the program even if a lease had ended`}
	}
	const advice = `name the key whose existence stands for the hold, below the "prefix" of the request, or no key`
	prefix := fmt.Sprintf("%s/%d/", b.Prefix, b.object)
	if !strings.HasPrefix(g.Key, prefix) {
		return "", fail("a key below "+prefix, errors.New(g.Key), advice)
	}
	reply, err := b.Admin.Get(ctx, g.Key)
	if err != nil {
		return "", err
	}
	if len(reply.Kvs) == 0 {
		return "", fail("the key "+g.Key+" in etcd", errors.New("there is no such key"), advice)
	}
	kv := reply.Kvs[0]
	if b.hello.Layout != history.NoLayout && g.Token != kv.CreateRevision {
		return "", fail(fmt.Sprintf("with a layout, the key's create revision, %d, as its token", kv.CreateRevision), fmt.Errorf("token %d", g.Token), "leave the layout out, or tell that")
	}
	if lease := p.Lease(); lease != 0 && kv.Lease != lease {
		return "", fail(fmt.Sprintf("the lease of its key, %d", kv.Lease), fmt.Errorf("lease %d", lease), `tell the lease on which the key is, in decimal, as a string if your language rounds large numbers`)
	}
	if kv.Lease == 0 {
		return "", fail("a key on a lease", errors.New("one that stays for ever if its owner dies"), "put it with a lease of ttl_ms, and renew that")
	}
	left, err := b.Admin.TimeToLive(ctx, clientv3.LeaseID(kv.Lease))
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("key %s, token %d, a lease of %d s", g.Key, g.Token, left.GrantedTTL)
	if p.Lease() == 0 {
		text += `; it does not tell its "lease", so that none can be revoked`
	}
	return text, nil
}

func (b *Bench) contention(ctx context.Context) (string, error) {
	_, second, _, end, err := b.pair(ctx)
	defer end()
	if err != nil {
		return "", err
	}
	if _, err := second.take(ctx, shortPatience); err == nil {
		return "", fail("that a second program is refused, or waits, while the first one holds", errors.New("both hold"), "let one in at a time")
	}
	return "the second one was kept out", nil
}

func (b *Bench) waiting(ctx context.Context) (string, error) {
	first, second, _, end, err := b.pair(ctx)
	defer end()
	if err != nil {
		return "", err
	}
	took := make(chan error, 1)
	go func() {
		_, err := second.take(ctx, takePatience)
		took <- err
	}()
	timer := time.NewTimer(300 * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
	case err := <-took:
		if err == nil {
			return "", fail("that the second one waits", errors.New("both hold"), "let one in at a time")
		}
		return "", fail("that the second one waits, for up to timeout_ms", err, "wait in acquire; try-acquire is for those who do not")
	}
	gave := time.Now()
	if err := first.give(ctx); err != nil {
		return "", fail("ok to giving it back", err, giveAdvice)
	}
	if err := <-took; err != nil {
		return "", fail("that who waits is let in when the object is free", err, "watch the key, or ask again now and then")
	}
	return fmt.Sprintf("let in %v after the other had given it back", time.Since(gave).Round(time.Millisecond)), nil
}

func (b *Bench) deadline(ctx context.Context) (string, error) {
	first, second, _, end, err := b.pair(ctx)
	defer end()
	if err != nil {
		return "", err
	}
	began := time.Now()
	_, err = second.take(ctx, shortPatience)
	after := time.Since(began)
	if err == nil {
		return "", fail("an error", errors.New("both hold"), "let one in at a time")
	}
	const advice = `answer by the end of timeout_ms with ok false, and "certain": true if nothing is left in etcd`
	if after > shortPatience+lateness {
		return "", fail(fmt.Sprintf("an answer within %v and a little", shortPatience), fmt.Errorf("it came after %v: %w", after.Round(time.Millisecond), err), advice)
	}
	if err := first.give(ctx); err != nil {
		return "", fail("ok to giving it back", err, giveAdvice)
	}
	third, err := b.join(ctx)
	if err != nil {
		return "", err
	}
	defer third.Kill()
	if _, err := third.take(ctx, takePatience); err != nil {
		return "", fail("that who gave up waiting is in nobody's way", err, "take out of etcd what an acquire has put there when it gives up")
	}
	return fmt.Sprintf("answered %v after the call of %v", after.Round(time.Millisecond), shortPatience), nil
}

func (b *Bench) tokens(ctx context.Context) (string, error) {
	first, second, g, end, err := b.pair(ctx)
	defer end()
	if err != nil {
		return "", err
	}
	if g.Token == 0 {
		return "", &skipped{`it tells no "token": there is nothing by which a protected resource could refuse a holder that is late`}
	}
	if err := first.give(ctx); err != nil {
		return "", fail("ok to giving it back", err, giveAdvice)
	}
	next, err := second.take(ctx, takePatience)
	if err != nil {
		return "", fail("a grant of a free object within 10 s", err, takeAdvice)
	}
	if next.Token <= g.Token {
		return "", fail(fmt.Sprintf("a token above %d, that of the holder before", g.Token), fmt.Errorf("token %d", next.Token), "use the create revision of the key")
	}
	return fmt.Sprintf("%d, then %d", g.Token, next.Token), nil
}

func (b *Bench) try(ctx context.Context) (string, error) {
	if b.hello.Primitive != history.Mutex || !b.hello.Can("try-acquire") {
		return "", &skipped{"it does not offer try-acquire"}
	}
	first, second, _, end, err := b.pair(ctx)
	defer end()
	if err != nil {
		return "", err
	}
	within, cancel := context.WithTimeout(ctx, takePatience)
	defer cancel()
	began := time.Now()
	_, err = second.lock.(workloads.TryLock).TryAcquire(within)
	if err = second.blame(err); !errors.Is(err, workloads.ErrTaken) {
		if err == nil {
			err = errors.New("both hold")
		}
		return "", fail(`ok false and "taken": true while another holds`, err, "look once, and answer")
	}
	if after := time.Since(began); after > lateness {
		return "", fail("an answer at once", fmt.Errorf("it came after %v", after.Round(time.Millisecond)), "look once, and answer")
	}
	if err := first.give(ctx); err != nil {
		return "", fail("ok to giving it back", err, giveAdvice)
	}
	_, err = second.lock.(workloads.TryLock).TryAcquire(within)
	if err = second.blame(err); err != nil {
		return "", fail("a grant of a free object", err, takeAdvice)
	}
	return "refused while another held, granted when it was free", nil
}

func (b *Bench) modes(ctx context.Context) (string, error) {
	if b.hello.Primitive != history.RWMutex {
		return "", &skipped{"it is no rwmutex"}
	}
	var parties [3]*party
	for i := range parties {
		p, err := b.join(ctx)
		if err != nil {
			return "", err
		}
		defer p.Kill()
		parties[i] = p
	}
	for _, reader := range parties[:2] {
		within, cancel := context.WithTimeout(ctx, takePatience)
		_, err := reader.rw.AcquireRead(within)
		cancel()
		if err = reader.blame(err); err != nil {
			return "", fail(`that two read at once, with "mode": "read"`, err, "let readers in beside each other")
		}
	}
	if _, err := parties[2].take(ctx, shortPatience); err == nil {
		return "", fail(`that a writer, with "mode": "write", is kept out while two read`, errors.New("it holds"), "let a writer in when nobody else holds")
	}
	for _, reader := range parties[:2] {
		within, cancel := context.WithTimeout(ctx, givePatience)
		err := reader.rw.ReleaseRead(within)
		cancel()
		if err = reader.blame(err); err != nil {
			return "", fail("ok to giving it back", err, giveAdvice)
		}
	}
	writer, err := b.join(ctx)
	if err != nil {
		return "", err
	}
	defer writer.Kill()
	if _, err := writer.take(ctx, takePatience); err != nil {
		return "", fail("that a writer is let in when the readers have gone", err, takeAdvice)
	}
	late, err := b.join(ctx)
	if err != nil {
		return "", err
	}
	defer late.Kill()
	within, cancel := context.WithTimeout(ctx, shortPatience)
	defer cancel()
	if _, err := late.rw.AcquireRead(within); err == nil {
		return "", fail(`that a reader, with "mode": "read"`+", is kept out while one writes", errors.New("both hold"), "let a reader in when no writer holds")
	}
	return "two readers, then one writer, and no reader beside it", nil
}
