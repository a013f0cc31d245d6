#!/bin/sh
# A mutual exclusion lock over etcd's JSON gateway, in shell, with curl and jq, as
# a program that holdfast puts to the test:
#
#     holdfast run --pipe 'sh examples/pipe-shell/lock.sh'
#
# Whoever creates the key holds the lock. The key is on a lease, which is renewed
# in the background. docs/protocol.md says what is read and written here.

say() { printf '%s\n' "$1"; }
now() { date +%s%3N; }
b64() { printf '%s' "$1" | base64 | tr -d '\n'; }
# fail WHY CERTAIN: the call failed, and surely had no effect, or nobody knows.
fail() { say "{\"id\":$id,\"ok\":false,\"error\":\"$1\",\"certain\":$2}"; }

# post PATH JSON DEADLINE: asks one member after the other until one answers.
post() {
	while :; do
		for endpoint in $endpoints; do
			left=$(($3 - $(now)))
			[ $left -gt 0 ] || return 1
			[ $left -lt 1000 ] || left=1000
			if reply=$(curl -s --max-time "$(printf '%d.%03d' $((left / 1000)) $((left % 1000)))" -d "$2" "$endpoint$1") &&
				[ -n "$reply" ]; then
				case $reply in
				*"lease not found"*) return 2 ;;
				*'"code":'*) ;; # a member without a leader, for example
				*) return 0 ;;
				esac
			fi
			sleep 0.05
		done
	done
}

# renew LEASE: renews it, and tells when it is lost: in time, counted from when
# the last renewal that was answered was sent.
renew() {
	good=$(($(now) + ttl * 1000))
	while sleep "$(printf '%d.%03d' $((ttl * 250 / 1000)) $((ttl * 250 % 1000)))"; do
		sent=$(now)
		post /v3/lease/keepalive "{\"ID\":\"$1\"}" "$good" || break
		[ "$(printf '%s' "$reply" | jq -r '.result.TTL // "0"')" != 0 ] || break
		good=$((sent + ttl * 1000))
	done
	say "{\"event\":\"lost\",\"lease\":\"$1\"}"
}

acquire() {
	deadline=$(($(now) + ${timeout:-60000} - 100))
	if [ -z "$lease" ]; then
		post /v3/lease/grant "{\"TTL\":\"$ttl\"}" $deadline || { fail "no lease was granted in time" true; return; }
		lease=$(printf '%s' "$reply" | jq -r .ID)
		renew "$lease" &
		renewal=$!
	fi
	key=$prefix/lock count=$((count + 1)) v=$(b64 "$client $count")
	k=$(b64 "$key")
	while :; do
		post /v3/kv/txn "{\"compare\":[{\"key\":\"$k\",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"0\"}],
			\"success\":[{\"request_put\":{\"key\":\"$k\",\"value\":\"$v\",\"lease\":\"$lease\"}}],
			\"failure\":[{\"request_range\":{\"key\":\"$k\"}}]}" $deadline
		case $? in
		1) fail "etcd did not answer in time" false; return ;;
		2) fail "the lease is gone" true; return ;;
		esac
		# A key that is there already is its own if it has its value: an answer was lost.
		token=$(printf '%s' "$reply" | jq -r --arg v "$v" 'if .succeeded then .header.revision
			else .responses[0].response_range.kvs[0] | if .value == $v then .create_revision else "" end end')
		[ -z "$token" ] || break
		[ "$(now)" -lt $deadline ] || { fail "another holds the lock" true; return; }
		sleep 0.2
	done
	eval "token_$object=$token"
	say "{\"id\":$id,\"ok\":true,\"key\":\"$key\",\"token\":\"$token\",\"lease\":\"$lease\"}"
}

release() {
	k=$(b64 "$prefix/lock")
	eval "token=\$token_$object"
	post /v3/kv/txn "{\"compare\":[{\"key\":\"$k\",\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"$token\"}],
		\"success\":[{\"request_delete_range\":{\"key\":\"$k\"}}]}" $(($(now) + ${timeout:-60000} - 100)) ||
		{ fail "etcd did not answer in time" false; return; }
	say "{\"id\":$id,\"ok\":true}"
}

while read -r line; do
	eval "$(printf '%s' "$line" | jq -r '@sh "id=\(.id) op=\(.op) object=\(.object) prefix=\(.prefix) timeout=\(.timeout_ms // "")"')"
	case $op in
	hello)
		eval "$(printf '%s' "$line" | jq -r '@sh "client=\(.client) ttl=\(.ttl_ms / 1000 | floor) endpoints=\(.endpoints | join(" "))"')"
		say "{\"id\":$id,\"ok\":true,\"name\":\"shell-lock\",\"ops\":[\"acquire\",\"release\"],\"layout\":\"oldest-key\"}"
		;;
	acquire) acquire ;;
	release) release ;;
	esac
done
[ -z "$renewal" ] || kill "$renewal"
