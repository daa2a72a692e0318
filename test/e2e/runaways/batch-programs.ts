/** A program that means to outlive its cancel. Its processes are known by file descriptor 9, which all of them inherit. */
export interface Program {
  readonly name: string
  /** For `sh -c`. */
  readonly script: string
  /** How many of its processes there are at least when it is at work. */
  readonly count: number
  /** Without a kernel that holds it, it is out of reach: it was gone from view before anybody looked. */
  readonly hides?: boolean
  /** Only root can do it. */
  readonly needsRoot?: boolean
}

const forever = 'while :; do sleep 600; done'
const deaf = `trap "" TERM INT HUP QUIT; ${forever}`
/** Nothing here runs for longer than this, should all else fail. */
const lifeSeconds = 240
const chain = `perl -e '$SIG{$_} = "IGNORE" for qw(TERM HUP INT); my $end = time + ${lifeSeconds}; while (time < $end) { my $p = fork; exit if $p; select undef, undef, undef, 0.001 }'`
const respawn = `perl -e '$SIG{$_} = "IGNORE" for qw(TERM HUP INT); my $end = time + ${lifeSeconds};
for (1 .. 60) { my $p = fork; next if $p; my $mate = 0; while (time < $end) { if (!$mate || !kill 0, $mate) { $mate = fork // 0; if (!$mate) { sleep 1 while time < $end; exit } } select undef, undef, undef, 0.05 } exit } sleep 1 while time < $end'`
const undumpable = `perl -e '$SIG{$_} = "IGNORE" for qw(TERM HUP INT); syscall(157, 4, 0, 0, 0, 0); sleep ${lifeSeconds}'`
const renamed = `perl -e '$SIG{$_} = "IGNORE" for qw(TERM HUP INT); $0 = "kworker/0:1"; %ENV = (); sleep ${lifeSeconds}'`

export const programs: readonly Program[] = [
  { name: 'deaf to every signal but KILL', script: deaf, count: 2 },
  { name: 'two forks away, with its environment', script: `(sh -c '${forever}' &) ; ${forever}`, count: 4 },
  { name: 'in a session of its own', script: `setsid sh -c '${deaf}' & ${deaf}`, count: 4 },
  { name: 'without environment, its parent alive', script: `env -i sh -c '${deaf}' & ${deaf}`, count: 4 },
  { name: 'without environment and parent, in the session', script: `(env -i sh -c '${deaf}' &) ; ${deaf}`, count: 4 },
  {
    name: 'without environment and parent, in another session',
    script: `(setsid env -i sh -c '${deaf}' &) ; ${deaf}`,
    count: 4,
    hides: true,
  },
  {
    name: 'all of it gone from its first process',
    script: `(setsid env -i sh -c '${deaf}' &) ; sleep 600`,
    count: 3,
    hides: true,
  },
  { name: 'a chain that forks every millisecond', script: `${chain} & ${deaf}`, count: 2, hides: true },
  {
    name: 'a chain without environment in a session of its own',
    script: `setsid env -i ${chain} & ${deaf}`,
    count: 2,
    hides: true,
  },
  { name: 'processes that start each other again', script: respawn, count: 100 },
  { name: 'undumpable', script: `(setsid ${undumpable} &) ; ${deaf}`, count: 3, hides: true },
  { name: 'renamed to a thread of the kernel', script: `(setsid ${renamed} &) ; ${deaf}`, count: 3, hides: true },
  { name: 'stopped', script: `sleep 600 & kill -STOP $!; sleep 600 & kill -STOP $$; ${deaf}`, count: 3 },
  { name: 'without its own folder', script: `rm -rf "$PWD"; ${deaf}`, count: 2 },
  { name: 'a daemon by nohup', script: `nohup sh -c '${deaf}' >/dev/null 2>&1 & ${deaf}`, count: 4 },
  {
    name: 'of another user',
    script: `(setsid setpriv --reuid=65534 --clear-groups env -i sh -c '${deaf}' &) ; ${deaf}`,
    count: 4,
    needsRoot: true,
    hides: true,
  },
  {
    name: 'in a PID namespace of its own',
    script: `unshare --pid --fork sh -c '${deaf}' & ${deaf}`,
    count: 4,
    needsRoot: true,
  },
]
