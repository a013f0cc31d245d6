#!/bin/sh
# Faults of an etcd cluster in Kubernetes, by Chaos Mesh. The scenario beside this file
# says when: its hooks call
#
#     sh hook.sh partition|delay|kill|failure inject|prove|heal
#
# A member's pod has the member's name. Its namespace is $NAMESPACE, or default.
set -eu

namespace=${NAMESPACE:-default}
# A name of its own for each fault: a run that was killed leaves what kubectl delete
# --selector holdfast-run=NAME finds.
run=$(printf %s "$HOLDFAST_RUN" | tr 'A-Z_.' 'a-z--')
name=holdfast-$run-$HOLDFAST_FAULT_ID
pod=$HOLDFAST_MEMBER

case $1 in
partition | delay) kind=NetworkChaos resource=networkchaos.chaos-mesh.org ;;
kill | failure) kind=PodChaos resource=podchaos.chaos-mesh.org ;;
*)
	echo "there is no fault $1" >&2
	exit 64
	;;
esac

kube() { kubectl --namespace "$namespace" "$@"; }

# others are the pods of the other members.
others() {
	list=
	for member in $HOLDFAST_MEMBERS; do
		test "$member" = "$pod" || list="$list${list:+, }$member"
	done
	echo "$list"
}

manifest() {
	cat <<END
apiVersion: chaos-mesh.org/v1alpha1
kind: $kind
metadata:
  name: $name
  namespace: $namespace
  labels: {holdfast-run: $run}
spec:
  mode: all
  selector: {pods: {$namespace: [$pod]}}
END
	case $1 in
	partition)
		echo "  action: partition"
		echo "  direction: both"
		echo "  target: {mode: all, selector: {pods: {$namespace: [$(others)]}}}"
		;;
	delay)
		echo "  action: delay"
		echo "  direction: to"
		echo "  delay: {latency: 200ms, jitter: 50ms}"
		echo "  target: {mode: all, selector: {pods: {$namespace: [$(others)]}}}"
		;;
	kill) echo "  action: pod-kill" && echo "  gracePeriod: 0" ;;
	failure) echo "  action: pod-failure" ;;
	esac
}

# injected waits until Chaos Mesh says that it has reached every pod.
injected() { kube wait --for=condition=AllInjected --timeout=20s "$resource/$name"; }

case $2 in
inject)
	if test "$1" = kill; then # by what its pod is told from the one that takes its place
		kube get pod "$pod" --output 'jsonpath={.metadata.uid}' >"${TMPDIR:-/tmp}/$name"
	fi
	manifest "$1" | kube apply --filename -
	injected
	;;
prove)
	injected
	if test "$1" = kill; then
		before=$(cat "${TMPDIR:-/tmp}/$name")
		now=$(kube get pod "$pod" --ignore-not-found --output 'jsonpath={.metadata.uid}')
		echo "pod $pod was $before and is ${now:-gone}"
		test "$now" != "$before"
	fi
	;;
heal)
	kube delete "$resource" "$name" --ignore-not-found --wait=true --timeout=20s
	kube wait --for=condition=Ready --timeout=60s "pod/$pod"
	rm -f "${TMPDIR:-/tmp}/$name"
	;;
*)
	echo "there is no step $2" >&2
	exit 64
	;;
esac
