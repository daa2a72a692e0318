/**
 * Shell functions of the batch script by which a job is held together on its node, and of the sweeper beside it.
 *
 * Where Slurm itself holds jobs by cgroups (`proctrack/cgroup`), its end of a job is the end of all processes, and the sweeper
 * dies with the job. Elsewhere (`proctrack/linuxproc`, `pgid`) Slurm loses daemons, and a KILL leaves the batch script no time
 * to look for them: the job has a cgroup v2 of its own, where the node has one that its user may make; one write kills all in
 * it, whatever they fork meanwhile, and `populated 0` is the kernel's word that none is left. Without one, processes are looked
 * for in /proc by their environment and descent, until looks find nothing for 2 s: best effort, and said so.
 *
 * The sweeper runs in a session of its own, outside of the job's cgroup, and has all it needs in its arguments: the folder is
 * the job's, which may delete it. It waits for the end of the batch script, or for its word (`told`; USR2 wakes it), ends what
 * is left, and then writes to `swept` what that rests on. As long as it lives, it takes away `absent` and `unswept`, by which a poll asks whether
 * anybody is there, and puts back `began` and `job`. What is in the kernel's hands (D state) keeps it waiting.
 *
 * All of it sees the node that runs the batch script, and no other.
 * Source: kernel documentation, "Control Group v2": cgroup.kill (since 5.14), cgroup.freeze, cgroup.events; slurm.conf(5),
 * ProctrackType.
 */
export const keeperVerbs = `
# Sets group, and makes it. Slurm's own groups (job_ID) are never left: its limits are there.
find_group() {
  group= place=
  while IFS= read -r one; do case $one in 0::*) place=\${one#0::} ;; esac; done </proc/self/cgroup
  case $place in */job_[0-9]*) return ;; esac
  [ "\${QUENCH_CONTAINMENT:-cgroup}" = cgroup ] || return
  while read -r one mount type rest; do
    [ "$type" = cgroup2 ] || continue
    group=$mount/quench/slurm/$key
    mkdir -p "$group" 2>/dev/null && { [ -e "$group/cgroup.kill" ] || [ -e "$group/cgroup.freeze" ]; } &&
      [ -w "$group/cgroup.procs" ] && return
    rmdir "$group" 2>/dev/null
    group=
  done </proc/mounts
}
populated() {
  [ -e "$group/cgroup.events" ] || return
  while read -r one two; do [ "$one $two" != 'populated 0' ] || return; done <"$group/cgroup.events"
}
cull() {
  if [ -e "$group/cgroup.kill" ]; then echo 1 >"$group/cgroup.kill"; return; fi
  echo 1 >"$group/cgroup.freeze"
  for one in $(find "$group" -name cgroup.procs -exec cat {} +); do kill -s KILL "$one"; done
  echo 0 >"$group/cgroup.freeze"
} 2>/dev/null
# TERM for members that Slurm does not reach: those that do not descend from the batch script any more.
term_daemons() {
  [ -n "$group" ] || return
  while read -r pid; do
    up=$pid
    while [ "$up" -gt 1 ] && [ "$up" != $$ ]; do
      IFS= read -r line <"/proc/$up/stat" || up=$$
      [ "$up" = $$ ] || { line=\${line##*) } && line=\${line#* } && up=\${line%% *}; }
    done
    [ "$up" = $$ ] || kill -s TERM "$pid"
  done <"$group/cgroup.procs" 2>/dev/null
}
lives() { start_of "$1" && [ "$start" = "$2" ] && case \${line##*) } in [ZX]*) return 1 ;; esac; }
alone() { if command -v setsid >/dev/null; then exec setsid "$@"; else exec "$@"; fi; }
start_sweeper() {
  sweeper=$( { alone sh -c "$program" sweeper "$folder" "$mask" sweep $$ "$1" "$group" "$member" "$began" "$id" \\
    </dev/null >/dev/null 2>&1 & } 2>/dev/null; echo $!)
  sweeper_start=
  ! start_of "$sweeper" || sweeper_start=$start
}
tell_sweeper() {
  : >"$dir/told"
  # It hears no signal before it has said that it does.
  if [ -e "$dir/hears" ] && lives "$sweeper" "$sweeper_start"; then kill -s USR2 "$sweeper"; fi
  while lives "$sweeper" "$sweeper_start"; do nap; done
  [ -e "$dir/swept" ]
}
# In hundredths of a second; the clock of the machine may jump.
uptime() { read -r up rest </proc/uptime; up=\${up%.*}\${up#*.}; }
tend() {
  [ -e "$dir/began" ] || { mkdir -p "$dir" && echo "$began" >"$dir/began"; [ -e "$folder/job" ] || echo "$id" >"$folder/job"; }
  for one in absent unswept; do [ ! -e "$dir/$one" ] || rm -f "$dir/$one"; done
} 2>/dev/null
others() { mkdir -p "$dir" && cd "$dir" && echo "$member - 0" | with_processes | { read -r a b c bar all || exit 1; echo "$all"; }; }
batch_lives() { lives "$batch" "$batch_start"; }
# What is left may end by itself for $1 seconds, as long as the batch script waits for that.
in_grace() { uptime; [ $((up - since)) -lt $(($1 * 100)) ] && batch_lives; }
pause() { rounds=$((rounds + 1)); if [ $rounds -lt 200 ]; then nap; else sleep 1; fi; }
finish() {
  rounds=0 proof='cgroup populated 0'
  uptime
  since=$up
  if [ -n "$group" ]; then
    while populated; do
      tend
      in_grace "$1" || cull
      pause
    done
    rmdir "$group" 2>/dev/null || find "$group" -depth -type d -exec rmdir {} \\; 2>/dev/null
    # The check that nobody has moved out of the group, which only root can; at a natural end nobody had a reason to.
    [ -z "$2" ] && return
  fi
  quiet=
  while :; do
    tend
    if ! all=$(others); then quiet=; pause; continue; fi
    if [ -z "$all" ]; then
      uptime
      if [ -n "$group" ] || { [ -n "$quiet" ] && { [ -z "$2" ] || [ $((up - quiet)) -ge 200 ]; }; }; then break; fi
      quiet=\${quiet:-$up}
    else
      quiet=
      in_grace "$1" || signal KILL jk $all
    fi
    pause
  done
  [ -n "$group" ] || proof='best effort: quiet for 2 s'
  [ -n "$group" ] || [ -n "$2" ] || proof='best effort: two looks found nothing'
}
sweep() {
  batch=$1 batch_start=$2 group=$3 member=$4 began=$5 id=$6
  trap : USR2
  : >"$dir/hears"
  seconds=0.5
  sleep 0.01 2>/dev/null || seconds=1
  while [ ! -e "$dir/told" ] && batch_lives; do
    tend
    sleep "$seconds" &
    wait $!
    kill -s KILL $! 2>/dev/null
  done
  # An end of the batch script without its word is a kill.
  if ! batch_lives; then finish 0 1; elif fated; then finish 300 1; else finish 0 ''; fi
  mkdir -p "$dir" && echo "$proof" >"$dir/swept.$$" && mv -f "$dir/swept.$$" "$dir/swept"
}
`
