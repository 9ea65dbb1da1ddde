#!/usr/bin/env bash
# Places a network device's queues on cores: one interrupt a core, and software steering (RPS) where there are fewer
# queues than cores.
#
#   tuning/queues.sh [DEVICE…]            prints what it would do; every hardware device when none is named
#   tuning/queues.sh --apply [DEVICE…]    does it, and remembers what was there before
#   tuning/queues.sh --undo               puts back what --apply found
#
# CORES=0-3 limits it to those cores (default: all that are on). ROOT and PROC stand for /sys and /proc in tests.
set -euo pipefail

sys=${ROOT:-/sys}
proc=${PROC:-/proc}
saved=${STATE:-/run/ringgate-queues}
mode=print
case ${1:-} in
  --apply) mode=apply; shift ;;
  --undo) mode=undo; shift ;;
  -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;;
  -*) echo "queues.sh: no such option: $1 (see --help)" >&2; exit 2 ;;
esac

# Writes a value and keeps the old one, or only says so.
place() {
  local file=$1 value=$2 old
  old=$(cat "$file")
  if [[ $(plain "$old") == "$(plain "$value")" ]]; then
    echo "is already  $file = $old"
  elif [[ $mode == print ]]; then
    echo "would write $file = $value (now $old)"
  else
    # The first value seen is the one to go back to, also after several runs.
    grep -q "^$file " "$saved" 2>/dev/null || echo "$file $old" >>"$saved"
    if echo "$value" >"$file"; then echo "wrote       $file = $value (was $old)"; else echo "REFUSED     $file = $value" >&2; fi
  fi
}

# A mask or number without leading zeros, so that 00000003 equals 3.
plain() { sed 's/^[0,]*\(.\)/\1/' <<<"$1"; }

# 0-2,5 as one number a line.
expand() {
  local part
  for part in ${1//,/ }; do seq "${part%-*}" "${part#*-}"; done
}

# The mask of the given cores as the kernel writes it: groups of 32 bits, the highest first.
mask() {
  local groups=() core i text
  for core in "$@"; do groups[core / 32]=$((${groups[core / 32]:-0} | 1 << core % 32)); done
  local highest=0
  for i in "${!groups[@]}"; do highest=$i; done
  text=$(printf '%x' "${groups[highest]}")
  for ((i = highest - 1; i >= 0; i--)); do text+=$(printf ',%08x' "${groups[i]:-0}"); done
  echo "$text"
}

undo() {
  [[ -s $saved ]] || { echo "nothing to undo: $saved does not exist"; return 0; }
  local file value
  while read -r file value; do
    echo "$value" >"$file" && echo "restored    $file = $value"
  done <"$saved"
  rm "$saved"
}

# Interrupts of a device: those listed for its hardware, for virtio below the parent.
interrupts() {
  local device=$1 folder
  for folder in "$sys/class/net/$device/device/msi_irqs" "$sys/class/net/$device/device/../msi_irqs"; do
    [[ -d $folder ]] && { ls "$folder" | sort -n; return 0; }
  done
  return 0
}

place_device() {
  local device=$1 queues=() irqs=() i irq
  queues=("$sys/class/net/$device/queues"/rx-*)
  mapfile -t irqs < <(interrupts "$device")
  echo "# $device: ${#queues[@]} receiving queues, ${#irqs[@]} interrupts, ${#cores[@]} cores"
  i=0
  for irq in "${irqs[@]}"; do
    [[ -w $proc/irq/$irq/smp_affinity_list ]] || continue
    place "$proc/irq/$irq/smp_affinity_list" "${cores[i++ % ${#cores[@]}]}"
  done
  # With a queue for each core the hardware spreads packets; steering again would only move them about.
  local spread=0 queue
  ((${#queues[@]} < ${#cores[@]})) && spread=$(mask "${cores[@]}")
  for queue in "${queues[@]}"; do
    [[ -e $queue/rps_cpus ]] && place "$queue/rps_cpus" "$spread"
  done
  i=0
  for queue in "$sys/class/net/$device/queues"/tx-*; do
    # Devices with one queue refuse this file.
    [[ -e $queue/xps_cpus ]] && cat "$queue/xps_cpus" >/dev/null 2>&1 || continue
    place "$queue/xps_cpus" "$(mask "${cores[i++ % ${#cores[@]}]}")"
  done
}

if [[ $mode == undo ]]; then
  undo
  exit 0
fi
mapfile -t cores < <(expand "${CORES:-$(cat "$sys/devices/system/cpu/online")}")
devices=("$@")
if ((${#devices[@]} == 0)); then
  for path in "$sys"/class/net/*/device; do devices+=("$(basename "$(dirname "$path")")"); done
fi
for device in "${devices[@]}"; do
  [[ -d $sys/class/net/$device/queues ]] || { echo "queues.sh: no such device: $device" >&2; exit 2; }
  place_device "$device"
done
[[ $mode == print ]] && echo "# nothing was changed; --apply does it" || echo "# undo: $0 --undo"
