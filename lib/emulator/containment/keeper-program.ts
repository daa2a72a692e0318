import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** `prctl` by architecture. Source: Linux, arch/…/syscalls; the generic table has 167. */
const prctlNumbers: Readonly<Partial<Record<NodeJS.Architecture, number>>> = {
  x64: 157,
  arm64: 167,
  riscv64: 167,
  loong64: 167,
  arm: 172,
  ia32: 172,
  ppc64: 171,
  s390x: 172,
}

/**
 * A program that keeps a job: it is the child subreaper above the job's shell, so that every orphan of the job comes back
 * to it, whatever it has cleared, and it ends only when it has no descendant left.
 *
 * Arguments: run file, number of prctl, program and arguments of the shell. Its exit code is the shell's. When the shell
 * has ended, or at SIGTERM, it walks the tree below it by /proc/PID/task/TID/children and stops what it finds until it
 * finds nothing new, kills all of it, and does so again until `wait` says ECHILD. Then it adds `quiet` to the run file,
 * for a server that is not its parent, and exits; so an end by a signal is no proof of anything.
 * Exits with 76 where it cannot become a subreaper; nothing was started then.
 * Source: prctl(2), PR_SET_CHILD_SUBREAPER (36); proc(5), /proc/pid/task/tid/children.
 */
const perl = `
my ($run, $prctl, @shell) = @ARGV;
syscall($prctl, 36, 1, 0, 0, 0) == 0 or exit 76;
my ($killing, $main) = (0, 0);
# Perl goes on with a wait that a signal has interrupted: the death of the shell ends it.
$SIG{TERM} = sub { kill 'KILL', $main if $main && !$killing; $killing = 1 };
$main = fork;
exit 76 unless defined $main;
if (!$main) { $SIG{TERM} = 'DEFAULT'; setpgrp(0, 0); exec @shell or exit 127 }
my ($code, $rounds) = (137, 0);
my $deep;
$deep = sub {
  my ($pid, $found) = @_;
  for my $file (glob "/proc/$pid/task/*/children") {
    open(my $list, '<', $file) or next;
    for my $child (split ' ', <$list> // '') { next if $found->{$child}++; $deep->($child, $found) }
  }
};
while (1) {
  my $pid = waitpid(-1, $killing ? 1 : 0);
  my $failed = $! + 0;
  if ($pid > 0) {
    next unless $pid == $main;
    $code = ($? & 127) ? 128 + ($? & 127) : $? >> 8;
    $killing = 1;
  } elsif ($pid < 0) {
    last if $failed == 10;
  } else {
    my (%stopped, %found);
    for (1 .. 100) {
      %found = ();
      $deep->($$, \\%found);
      my @new = grep { !$stopped{$_}++ } keys %found;
      last unless @new;
      kill 'STOP', @new;
    }
    kill 'KILL', keys %found;
    select(undef, undef, undef, $rounds++ < 250 ? 0.004 : 0.3);
  }
}
if (open(my $file, '>>', $run)) { print $file "quiet\\n"; close $file }
exit $code;
`

const python = `
import ctypes, glob, os, signal, sys, time
run, prctl, shell = sys.argv[1], sys.argv[2], sys.argv[3:]
if ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) != 0: os._exit(76)
killing = False
def stop(*_):
    global killing
    killing = True
signal.signal(signal.SIGTERM, stop)
main = os.fork()
if main == 0:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for one in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT): signal.signal(one, signal.SIG_DFL)
    os.setpgid(0, 0)
    try: os.execvp(shell[0], shell)
    finally: os._exit(127)
code, rounds = 137, 0
def deep(pid, found):
    for path in glob.glob('/proc/%d/task/*/children' % pid):
        try: children = open(path).read().split()
        except OSError: continue
        for child in map(int, children):
            if child in found: continue
            found.add(child)
            deep(child, found)
def send(pids, number):
    for pid in pids:
        try: os.kill(pid, number)
        except OSError: pass
while True:
    # A wait that cannot be woken by a signal handler is one of 50 ms at most.
    try: pid, status = os.waitpid(-1, os.WNOHANG)
    except ChildProcessError: break
    if pid > 0:
        if pid != main: continue
        code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        killing = True
    elif not killing:
        signal.sigtimedwait({signal.SIGCHLD}, 0.05)
    else:
        stopped = set()
        for _ in range(100):
            found = set()
            deep(os.getpid(), found)
            new = found - stopped
            if not new: break
            stopped |= new
            send(new, signal.SIGSTOP)
        send(found, signal.SIGKILL)
        rounds += 1
        time.sleep(0.004 if rounds < 250 else 0.3)
try:
    with open(run, 'a') as file: file.write('quiet\\n')
except OSError: pass
os._exit(code)
`

/** Program and arguments of a keeper that this machine can run, the shell's to be added; undefined where it has none. */
export function findKeeper(runFile: string): readonly string[] | undefined {
  const prctl = prctlNumbers[process.arch]
  const perlPath = findProgram('perl')
  if (perlPath !== undefined && prctl !== undefined) return [perlPath, '-e', perl, runFile, String(prctl)]
  const pythonPath = findProgram('python3')
  return pythonPath === undefined ? undefined : [pythonPath, '-c', python, runFile, '0']
}

function findProgram(name: string): string | undefined {
  // The system's own first: what else is on a PATH may be a wrapper that costs more than the job.
  const folders = ['/usr/bin', '/bin', '/usr/local/bin', ...(process.env.PATH ?? '').split(delimiter)]
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
