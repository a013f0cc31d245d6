#!/bin/sh
# Faults of an etcd cluster in containers, by docker itself. The scenario beside this
# file says when: its hooks call
#
#     sh hook.sh pause|network|kill inject|prove|heal
#
# A member's container has the member's name, after $CONTAINERS if that is set. The
# network in which members meet is $NETWORK, or etcd.
set -eu

container=${CONTAINERS:-}$HOLDFAST_MEMBER
network=${NETWORK:-etcd}
# What heal has to know of what inject found, until heal is done.
note=${TMPDIR:-/tmp}/holdfast-$container-$HOLDFAST_FAULT_ID

state() { docker inspect --format "$1" "$container"; }

# want TEMPLATE WHAT: the proof is that docker says so.
want() {
	is=$(state "$1")
	echo "docker says of $container: $1 is $is"
	test "$is" = "$2"
}

case "$1 $2" in
'pause inject') docker pause "$container" ;;
'pause prove') want '{{.State.Paused}}' true ;;
'pause heal')
	if test "$(state '{{.State.Paused}}')" = true; then docker unpause "$container"; fi
	;;

'network inject')
	# The address stays, so that the others and the clients find the member again.
	state "{{(index .NetworkSettings.Networks \"$network\").IPAddress}}" >"$note"
	docker network disconnect "$network" "$container"
	;;
'network prove') want '{{len .NetworkSettings.Networks}}' 0 ;;
'network heal')
	if test "$(state '{{len .NetworkSettings.Networks}}')" = 0; then
		docker network connect --ip "$(cat "$note")" --alias "$HOLDFAST_MEMBER" "$network" "$container"
	fi
	rm -f "$note"
	;;

'kill inject') docker kill --signal KILL "$container" ;;
'kill prove') want '{{.State.Running}} {{.State.ExitCode}}' 'false 137' ;;
'kill heal') docker start "$container" ;;

*)
	echo "there is no step $2 of $1" >&2
	exit 64
	;;
esac
