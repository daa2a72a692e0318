import type { CancelMode } from '../executor.ts'
import { eachElement, listJobs, type SlurmJob } from './job-list.ts'
import { slurmPrelude } from './shell.ts'
import { surveyJobs } from './survey.ts'

/**
 * The script that stops jobs: tombstones first, then one squeue, then two scancel at most, one line a job (`parseCancel`).
 *
 * A job that was not submitted, or that the cluster has never heard of, is fenced by its tombstone.
 * `graceful`: a running job gets TERM by `scancel --full`, which reaches the batch script, its children and the srun steps,
 * and leaves the job as it is: the grace is ours (plain scancel sends KILL after the site's KillWait, and a job that is
 * COMPLETING by then takes no other signal). What does not run gets a plain scancel, which a signal would not reach.
 * `force`: KILL to the batch shell, upon which its slurmstepd kills at once what is left of the step, and then a plain scancel
 * for what that did not reach: jobs that do not run, and srun steps (TERM, and KILL after KillWait). KILL to the whole job
 * would be no faster: slurmctld takes `--signal=KILL` without `--batch` for a plain scancel (seen with 22.05).
 * A job array whose live elements are all meant goes by its base id.
 * Source: scancel(1), `--full`, `--signal`, `--ctld`, NOTES; slurm.conf(5), KillWait.
 */
export function cancelSlurmScript(jobs: readonly SlurmJob[], mode: CancelMode): string {
  const calls =
    mode === 'graceful'
      ? `[ -z "$awake" ] || stop --full --signal=TERM $awake
[ -z "$asleep" ] || stop $asleep`
      : `if [ -n "$awake" ]; then
  stop --batch --signal=KILL $awake
  failed=
  stop $awake
fi`
  return `${slurmPrelude}${surveyJobs}
before() {
  [ -d "$dir" ] || mkdir -p "$dir" 2>/dev/null
  [ -e "$dir/end" ] || [ -e "$dir/fate" ] || { ln ".cancelled.$$" "$dir/fate" 2>/dev/null && mine=1; }
}
each=${eachElement(jobs)}
echo "cancelled $now" >".cancelled.$$" || exit 73
rows=$(describe_jobs <<'QUENCH_HANDLES'
${listJobs(jobs)}
QUENCH_HANDLES
)
rm -f ".cancelled.$$"
ask_slurm
know ''
ids=$(printf '%s\\n' "$known" | awk -v force=${mode === 'force' ? 1 : 0} '
  $13 ~ /^(-|BF|CA|CD|CG|DL|F|NF|OOM|PR|TO)$/ || $5 == "ended" && !force || ($3, $4) in seen { next }
  {
    seen[$3, $4]
    id[++count] = $3
    index_of[count] = $4
    kind[count] = !force && $13 ~ /^(PD|CF|RD|RF|RH|RQ|S|SE|ST)$/ ? "asleep" : "awake"
    alive[$3] = $16
    wanted[$3, kind[count]]++
  }
  END {
    for (i = 1; i <= count; i++) {
      one = id[i]
      if (index_of[i] != "-" && wanted[one, kind[i]] != alive[one]) one = one "_" index_of[i]
      if (!((one, kind[i]) in done)) list[kind[i]] = list[kind[i]] " " one
      done[one, kind[i]]
    }
    print list["awake"] ";" list["asleep"]
  }')
awake=\${ids%;*} asleep=\${ids#*;} failed=
# One request for all ids, where this scancel can.
ctld=
case $(scancel --help 2>/dev/null </dev/null) in *--ctld*) ctld=--ctld ;; esac
stop() { scancel --quiet $ctld "$@" </dev/null >/dev/null || failed=1; }
${calls}
# A job that is being launched may refuse a signal; its batch script will find the tombstone before it starts anything.
printf '%s\\n' "$known" | while read_job; do
  case $state in
  -)
    alive=
    # Nothing of it was shown, by a squeue that complained: it may live.
    if [ -n "$doubt" ] && [ "$note" = - ] && [ $fate = cancelled ] && { [ "$job" != 0 ] || [ -d "$name/run" ]; }; then echo 'failed;'; continue; fi ;;
  BF | CA | CD | DL | F | NF | OOM | PR | TO)
    alive=
    # It had ended before the tombstone, by itself: that stays what is said of it.
    if [ $mine = 1 ] && [ ! -e "$dir/yielded" ]; then
      rm -f "$dir/fate"
      echo 'ended;'
      continue
    fi ;;
  *) alive=1 ;;
  esac
  if [ "$note" != - ] || [ $fate = ended ]; then echo 'ended;'
  elif [ $fate = - ] || { [ -n "$failed" ] && [ -n "$alive" ] && [ "$began" != - ] && [ ! -e "$dir/yielded" ]; }; then echo 'failed;'
  elif [ $fate = cancelled ] && { [ -n "$alive" ] || [ $mine = 1 ]; }; then echo 'accepted;'
  else echo 'ended;'; fi
done
echo 'end;'
`
}
