/**
 * Functions that put together what the jobs' folders (`describe_jobs` to `rows`) and Slurm (`ask_slurm` to `jobs`) say.
 *
 * `know` joins them to `known`, a line for each handle, in order; `read_job` reads one. One squeue however many jobs: all of
 * the user's, by one request (`--states=all` also shows those that have ended, until MinJobAge is over; `scontrol show job`
 * knows no more). Where the site keeps accounts, `ask_accounts` adds the ended jobs that neither slurmctld nor their folder
 * can tell, and who cancelled those that Quench has not; sacct is believed about ends alone, since a job that slurmctld does not know may be RUNNING there for ever.
 *
 * A job without a row is not gone: squeue prints nothing, with exit code 0, when it could not ask (`doubt`: it had something
 * to say beside its rows). `ask_controller` puts into `gone` the jobs of which slurmctld itself says that it has no such id, or
 * that the id is of a job with another name, and only where it answers another question rightly by the same process. One
 * scontrol for all of them: it reads its questions from stdin, and repeats each before its answer. Complaints go to stderr, so
 * they only count as many as there are questions without an answer.
 * `before` has its turn with each handle first. Exit code 74: the controller did not say.
 */
export const surveyJobs = `
describe_jobs() {
  while read -r a b; do
    if [ "$a" = @ ]; then prefix=\${b#.}; continue; fi
    name=$prefix$a dir=$prefix$a job=\${b%_*} index=- mine=0
    case $b in *_*) index=\${b#*_} dir=$name/$index ;; esac
    fate= when= code= began= note= from= to= proof= why=
    before
    [ ! -e "$dir/fate" ] || read -r fate when code <"$dir/fate"
    [ ! -e "$dir/began" ] || read -r began <"$dir/began"
    [ ! -e "$dir/end" ] || read -r note from to proof why <"$dir/end"
    [ -n "$proof" ] || [ ! -e "$dir/swept" ] || read -r proof b <"$dir/swept"
    [ "$job" != 0 ] || [ ! -e "$name/job" ] || read -r job <"$name/job"
    echo "R|$name|$dir|$job|$index|\${fate:--}|\${when:--}|\${code:--}|\${began:--}|\${note:--}|\${from:--}|\${to:--}|$mine|\${proof%"\${proof#?}"}|$why"
  done
}
join_jobs() {
  awk -F '|' '
    function time(text) { return text ~ /^[0-9]+$/ ? text : "-" }
    $1 == "J" {
      key = $7 SUBSEP $2 SUBSEP ($3 == "N/A" ? "-" : $3)
      if (who[key] == "") who[key] = $10
      if ($8 != "") ran[key] = 1
      if (key in state) next
      # Of what waits, and of what failed: else it is what the job has waited for.
      if ($4 ~ /^(PD|CF|RQ|RF|RH|RD|SE|F)$/ && $9 != "None") why[key] = substr($9, 1, 200)
      state[key] = $4
      start[key] = time($5)
      end[key] = time($6)
      named[$7] = $2
      if ($4 !~ /^(BF|CA|CD|CG|DL|F|NF|OOM|PR|TO)$/) alive[$2]++
    }
    $1 == "R" {
      # A name has one job; the id that was noted may be of another (ids come again, a banner was taken for one).
      if ($2 in named && !(($2, $4, $5) in state)) $4 = named[$2]
      key = $2 SUBSEP $4 SUBSEP $5
      row = $2
      for (i = 3; i <= 13; i++) row = row " " $i
      proof = $14 == "" ? "-" : $14
      reason = $15 != "" ? $15 : who[key] != "" ? "by " who[key] : why[key]
      gsub(/;/, ",", reason)
      if (key in state) print row, state[key], start[key], end[key], alive[$4] + 0, ran[key] + 0, proof, reason
      else print row, "-", "-", "-", 0, 0, proof, reason
    }'
}
ask_slurm() {
  doubt=
  jobs=$(queue $each) || { has_said; exit 74; }
  ! has_said || doubt=1
}
ask_accounts() {
  missing=$(printf '%s\\n' "$known" | awk '
    $3 != 0 && $9 == "-" && ($5 == "-" && $13 == "-" || $5 != "cancelled" && $13 == "CA") { printf "%s%s", comma, $4 == "-" ? $3 : $3 "_" $4; comma = "," }')
  if [ -n "$missing" ] && command -v sacct >/dev/null; then
    ended=$(SLURM_TIME_FORMAT=%s LC_ALL=C sacct --noheader --allocations --parsable2 --jobs="$missing" \\
      --format=JobID,State,Start,End,JobName </dev/null 2>/dev/null | awk -F '|' '
        $2 ~ /^(BOOT_FAIL|CANCELLED|COMPLETED|DEADLINE|FAILED|NODE_FAIL|OUT_OF_MEMORY|PREEMPTED|TIMEOUT)/ {
          split($1, id, "_")
          who = $2
          if (!sub(/^CANCELLED by /, "", who)) who = ""
          sub(/[^A-Z_].*/, "", $2)
          print "J|" id[1] "|" (id[2] == "" ? "N/A" : id[2]) "|" $2 "|" $3 "|" $4 "|" $5 "|||" who
        }')
    know "$ended"
  fi
}
ask_controller() {
  gone=
  asked=$(printf '%s\\n' "$known" | awk '
    $3 != 0 && $5 != "ended" && $9 == "-" && $13 == "-" { print ($4 == "-" ? $3 : $3 "_" $4), $1, $2 }')
  { [ -n "$asked" ] && [ -z "$doubt" ]; } || return 0
  said=$({ printf '%s\\n' "$asked" | sed 's/ .*//; s/^/show job /'; echo 'show config'; } |
    LC_ALL=C scontrol --oneliner 2>".said.$$")
  gone=$({ printf '%s\\n' "$asked" | sed 's/^/Q /'; { printf '%s\\n' "$said"; cat ".said.$$"; } | sed 's/^/S /'; } | awk '
    $1 == "Q" { name[++asked] = $3; dir[asked] = $4; next }
    /show job [0-9_]+ *$/ { at++; next }
    /[Ii]nvalid job id/ || /Job [0-9_]+ not found/ { refused++; next }
    $2 ~ /^JobId=[0-9]+$/ {
      known[at]
      for (i = 3; i <= NF; i++) if ($i == "JobName=" name[at]) ours[at]
      next
    }
    $2 == "ProctrackType" { answers = 1 }
    END {
      for (i = 1; i <= asked; i++) if (!(i in known)) without++
      if (!answers || without != refused) exit
      for (i = 1; i <= asked; i++) if (!(i in ours)) printf " %s ", dir[i]
    }')
  rm -f ".said.$$"
}
is_gone() { case $gone in *" $dir "*) ;; *) return 1 ;; esac; }
know() { known=$(printf '%s\\n' "$jobs" "$1" "$rows" | join_jobs); }
read_job() { read -r name dir job index fate when code began note from to mine state start end alive ran proof why; }
`
