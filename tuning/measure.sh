#!/usr/bin/env bash
# Measures what the settings in sysctl/ change, in two network namespaces of its own: nothing of this host is altered.
# Needs root, iproute2, python3 and /dev/net/tun. Takes about two minutes; README.md holds what it printed for us.
set -euo pipefail
cd "$(dirname "$0")"
[[ $(id -u) == 0 ]] || { echo "tuning/measure.sh must run as root (it makes network namespaces)" >&2; exit 2; }

gateway=ringgate-a client=ringgate-b
children=()
cleanup() {
  ((${#children[@]})) && kill "${children[@]}" 2>/dev/null || true
  ip netns del $gateway 2>/dev/null || true
  ip netns del $client 2>/dev/null || true
}
trap cleanup EXIT
ip netns add $gateway
ip netns add $client
ip -n $gateway link set lo up
ip -n $client link set lo up
ip link add rgveth0 netns $gateway type veth peer name rgveth1 netns $client
ip -n $gateway addr add 10.98.0.1/24 dev rgveth0
ip -n $client addr add 10.98.0.2/24 dev rgveth1
ip -n $gateway link set rgveth0 up
ip -n $client link set rgveth1 up

in_gateway() { ip netns exec $gateway python3 measure.py "$@"; }
in_client() { ip netns exec $client python3 measure.py "$@"; }
# Starts a role in the background and waits until it says that it is ready.
start() {
  local pipe
  pipe=$(mktemp -u)
  mkfifo "$pipe"
  "$@" >"$pipe" &
  children+=($!)
  head -n1 "$pipe" >/dev/null
  rm "$pipe"
}

echo "kernel $(uname -r), $(nproc) cores"
echo "== 2000 connections at once, the server busy for 300 ms"
for limit in 128 1024 4096; do in_gateway burst $limit; done

start ip netns exec $gateway python3 measure.py serve
echo "== ports towards one origin address"
in_client ports "10000 10999"
echo "== a new connection for each exchange, 1000 ports"
# Ports of their own for each: a port that rests after one case must not be missing in the next.
in_client churn 0 "20000 20999"
in_client churn 2 "21000 21999"
in_client churn 1 "22000 22999"

start python3 measure.py relay 25
echo "== round trip of 50 ms"
# Congestion controls that pace by themselves (bbr) never start slowly after a pause, so the choice is named.
read -r congestion </proc/sys/net/ipv4/tcp_congestion_control
echo "congestion control of this host: $congestion"
for control in $(tr ' ' '\n' </proc/sys/net/ipv4/tcp_allowed_congestion_control | sort); do
  in_gateway sysctl net.ipv4.tcp_congestion_control "$control"
  for value in 1 0; do
    in_gateway sysctl net.ipv4.tcp_slow_start_after_idle $value
    in_client idle "$value ($control)"
  done
done
in_gateway sysctl net.ipv4.tcp_congestion_control "$congestion"
for largest in 262144 1048576 4194304; do
  in_gateway sysctl net.ipv4.tcp_wmem "4096 16384 $largest"
  in_client window "$largest"
done
