#!/usr/bin/env bash
# A mutual exclusion lock over etcd's JSON gateway, in bash, with curl and jq, as
# a program that holdfast puts to the test:
#
#     holdfast run --pipe 'bash examples/pipe-shell/lock.sh'
#
# Whoever creates the key holds the lock. The key is on a lease, which is renewed
# in the background. docs/protocol.md says what is read and written here.

say() { printf '%s\n' "$1"; }
now() { local t=${EPOCHREALTIME/[.,]/}; now=${t%???}; } # milliseconds
b64() { printf '%s' "$1" | base64 -w 0; }
# fail WHY CERTAIN: the call failed, and surely had no effect, or nobody knows.
fail() { say "{\"id\":$id,\"ok\":false,\"error\":\"$1\",\"certain\":$2}"; }
seconds() { printf -v "$1" '%d.%03d' $(($2 / 1000)) $(($2 % 1000)); }

# post PATH JSON DEADLINE: asks one member after the other until one answers. It is
# not sure what becomes of what was not answered.
post() {
	local endpoint left limit
	while :; do
		for endpoint in $endpoints; do
			now
			left=$(($3 - now))
			((left > 0)) || return 1
			seconds limit $((left < 1000 ? left : 1000))
			reply=$(curl -s --max-time "$limit" -d "$2" "$endpoint$1")
			case $reply in
			*"lease not found"*) return 2 ;;
			'' | *'"code":'*) sure=false; sleep 0.05 ;; # it is away, or has no leader, for example
			*) return 0 ;;
			esac
		done
	done
}

# renew LEASE: renews it, and tells when it is lost: in time, counted from when
# the last renewal that was answered was sent.
renew() {
	local good sent pause
	now
	good=$((now + ttl))
	seconds pause $((ttl / 4))
	while sleep "$pause"; do
		now
		sent=$now
		post /v3/lease/keepalive "{\"ID\":\"$1\"}" $good || break
		[[ $reply == *'"TTL":"'[1-9]* ]] || break
		good=$((sent + ttl))
	done
	say "{\"event\":\"lost\",\"lease\":\"$1\"}"
}

acquire() {
	local deadline k v
	now
	deadline=$((now + timeout - 100))
	if [[ -z $lease ]]; then
		post /v3/lease/grant "{\"TTL\":\"$((ttl / 1000))\"}" $deadline || { fail "no lease was granted in time" true; return; }
		lease=$(jq -r .ID <<<"$reply")
		renew "$lease" &
		trap 'kill %1' EXIT
	fi
	k=$(b64 "$prefix/lock") v=$(b64 "$lease $((++count))") sure=true
	while :; do
		post /v3/kv/txn "{\"compare\":[{\"key\":\"$k\",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"0\"}],
			\"success\":[{\"request_put\":{\"key\":\"$k\",\"value\":\"$v\",\"lease\":\"$lease\"}}],
			\"failure\":[{\"request_range\":{\"key\":\"$k\"}}]}" $deadline
		case $? in
		1) fail "etcd did not answer in time" false; return ;;
		2) fail "the lease is gone" $sure; return ;;
		esac
		# A key that is there already is its own if it has its value: an answer was lost.
		token=$(jq -r --arg v "$v" 'if .succeeded then .header.revision
			else .responses[0].response_range.kvs[0] | if .value == $v then .create_revision else "" end end' <<<"$reply")
		[[ -z $token ]] || break
		now
		((now + 200 < deadline)) || { fail "another holds the lock" $sure; return; }
		sleep 0.2
	done
	tokens[object]=$token
	say "{\"id\":$id,\"ok\":true,\"key\":\"$prefix/lock\",\"token\":\"$token\",\"lease\":\"$lease\"}"
}

release() {
	local k
	k=$(b64 "$prefix/lock")
	now
	post /v3/kv/txn "{\"compare\":[{\"key\":\"$k\",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"${tokens[object]}\"}],
		\"success\":[{\"request_delete_range\":{\"key\":\"$k\"}}]}" $((now + timeout - 100)) ||
		{ fail "etcd did not answer in time" false; return; }
	say "{\"id\":$id,\"ok\":true}"
}

while read -r line; do
	eval "$(jq -r '@sh "id=\(.id) op=\(.op) object=\(.object) prefix=\(.prefix) timeout=\(.timeout_ms // 60000)",
		if .op == "hello" then @sh "ttl=\(.ttl_ms) endpoints=\(.endpoints | join(" "))" else empty end' <<<"$line")"
	case $op in
	hello) say "{\"id\":$id,\"ok\":true,\"name\":\"shell-lock\",\"ops\":[\"acquire\",\"release\",\"lost\"],\"layout\":\"oldest-key\"}" ;;
	acquire) acquire ;;
	release) release ;;
	*) fail "no such op" true ;;
	esac
done
